package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	neturl "net/url"
	"os"
	"strconv"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

const attempts = 4 // a mirror that fails four times in a row is down

// retry runs attempt until it succeeds, the server says that the file is gone, the
// context ends or the attempts are used up. A server that is down is asked no more for a
// while: of some hundred files, the first has shown it.
func (c *Cache) retry(ctx context.Context, url string, attempt func() error) error {
	host := hostOf(url)
	if err := c.isDown(host); err != nil {
		return explain(url, err)
	}
	pause := c.Pause
	if pause == 0 {
		pause = time.Second
	}
	var err error
	for n := range attempts {
		if err = attempt(); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if isFinal(err) {
			return explain(url, err)
		}
		if n == attempts-1 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(pause, wanted(err))):
			pause *= 2
		}
	}
	c.down.Store(host, outage{time.Now(), err})
	return explain(url, down{err})
}

// ErrDown says that a server did not answer, or broke off, in all attempts.
var ErrDown = errors.New("the server is down")

// down makes an error ErrDown without a change of its text.
type down struct{ error }

func (d down) Unwrap() error        { return d.error }
func (d down) Is(target error) bool { return target == ErrDown }

// outage is when a host failed the last of all attempts, and how.
type outage struct {
	since time.Time
	cause error
}

const downFor = 30 * time.Second // for which a host that is down is not asked again

func (c *Cache) isDown(host string) error {
	seen, ok := c.down.Load(host)
	if !ok || time.Since(seen.(outage).since) > downFor {
		return nil
	}
	return down{seen.(outage).cause}
}

func hostOf(url string) string {
	u, err := neturl.Parse(url)
	if err != nil {
		return url
	}
	return u.Host
}

// isFinal tells what another attempt cannot mend.
func isFinal(err error) bool {
	return errors.Is(err, ErrGone) || errors.Is(err, ErrLonger) ||
		isCertificate(err) || isLocal(err) || isNoHost(err)
}

// isNoHost tells that a name is not known, which its server has said, from a name server
// that gives no answer.
func isNoHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// Misfit reports whether the server gave another file than the digest and size name.
func Misfit(err error) bool { return errors.Is(err, ErrDigest) || errors.Is(err, ErrLonger) }

// busy is the answer of a server that asks for fewer requests.
type busy struct {
	status string
	after  time.Duration // that it asks to wait; 0: it does not say
}

func (b busy) Error() string { return "the server answered " + b.status }

// longestWait bounds what a server may ask for: nobody waits an hour for a build.
const longestWait = 30 * time.Second

// retryAfter reads the header field's number of seconds; its other form, a date, counts
// as not given (RFC 9110 §10.2.3).
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 3600))*time.Second, longestWait)
}

// wanted is the pause that the server asks for.
func wanted(err error) time.Duration {
	var b busy
	errors.As(err, &b)
	return b.after
}

func isCertificate(err error) bool {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &unknown) || errors.As(err, &host)
}

// isLocal tells errors of this machine's disk, which no retry mends, from the server's.
func isLocal(err error) bool {
	var path *os.PathError
	return errors.As(err, &path)
}

func explain(url string, err error) error {
	next := "see that the host can be reached from here; a proxy is taken from HTTPS_PROXY and HTTP_PROXY"
	switch {
	case isLocal(err):
		next = "free space in the cache folder, or name another (`mage vars` says how)"
		return &fault.Error{Code: fault.Failed, Err: err, Next: next}
	case errors.Is(err, ErrGone):
		next = "see that the address is right, or name another mirror with DEBIAN_MIRROR"
	case errors.Is(err, ErrLonger):
		next = "see who answers for that host: it gives another file than the pinned one"
	case isCertificate(err):
		next = "if a TLS proxy with its own CA stands between, set SSL_CERT_FILE to a bundle that holds this CA"
	}
	var request *neturl.Error
	if errors.As(err, &request) {
		bare := request.Err // the whole says the URL once more
		if errors.Is(err, ErrDown) {
			bare = down{bare}
		}
		err = bare
	}
	return &fault.Error{Code: fault.Fetch, Err: fmt.Errorf("%s: %w", url, err), Next: next}
}
