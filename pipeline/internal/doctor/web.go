package doctor

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// Page is something on the network that a build may need.
type Page struct {
	About  string
	URL    string
	Needed State  // what it is if it does not answer
	Next   string // then
	Codes  []int  // of HTTP that are an answer, beside 200
}

// answerWithin bounds the wait for a page.
const answerWithin = 8 * time.Second

// Ask tells whether a page answers, and how fast.
func (p Page) Ask(ctx context.Context, client *http.Client) Check {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	c := Check{State: p.Needed, About: p.About, Next: p.Next}
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, p.URL, nil)
	if err != nil {
		c.Text = err.Error()
		return c
	}
	start := time.Now()
	answer, err := client.Do(request)
	host := request.URL.Host
	switch {
	case err != nil:
		c.Text, c.Next = fmt.Sprintf("%s: %s", host, cause(err)), p.nextOf(err)
	case answer.StatusCode != http.StatusOK && !slices.Contains(p.Codes, answer.StatusCode):
		c.Text = fmt.Sprintf("%s answers %s", p.URL, answer.Status)
	default:
		c.State, c.Next = OK, ""
		c.Text = fmt.Sprintf("%s answers in %d ms", host, time.Since(start).Milliseconds())
	}
	if answer != nil {
		answer.Body.Close()
	}
	return c
}

// nextOf is the next step after an error of the network: that of a proxy's CA is the same for all.
func (p Page) nextOf(err error) string {
	var untrusted x509.UnknownAuthorityError
	if errors.As(err, &untrusted) {
		return "a TLS proxy with a CA of its own? Name its certificates with SSL_CERT_FILE"
	}
	return p.Next
}

// cause is an error of net/http without method and address.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return fmt.Sprintf("no answer within %s", answerWithin)
		}
		err = u.Err
	}
	return err.Error()
}

// Certificates looks at a file of SSL_CERT_FILE.
func Certificates(file string, text []byte, now time.Time) Check {
	c := Check{State: OK, About: "SSL_CERT_FILE"}
	n, over := 0, 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		n++
		if now.After(cert.NotAfter) {
			over++
		}
	}
	c.Text = fmt.Sprintf("%s has %s", file, count(n, "certificate"))
	if over > 0 {
		c.Text += fmt.Sprintf(", %d of them past their time", over)
	}
	switch {
	case n == 0:
		c.State, c.Next = Fail, "it must be PEM: -----BEGIN CERTIFICATE-----; or unset SSL_CERT_FILE"
		if bytes.HasPrefix(text, []byte{0x30}) {
			c.Next = "it is DER: `openssl x509 -inform der -in FILE -out FILE.pem`"
		}
	case over == n:
		c.State, c.Next = Fail, "ask whoever keeps the proxy for its new certificate"
	}
	return c
}

// Disk compares the room at a path with what is needed there, in bytes.
func Disk(about, path string, need int64, next string) Check {
	for path != "/" && path != "." {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = path[:max(1, strings.LastIndexByte(path, '/'))]
	}
	room, ok := free(path)
	if !ok {
		return Check{State: OK, About: about, Text: path + ": how much is free is not known"}
	}
	c := Check{State: OK, About: about, Text: fmt.Sprintf("%s free at %s", units.HumanSize(float64(room)),
		path)}
	if room < need {
		c.State, c.Next = Warn, next
		c.Text += fmt.Sprintf("; a build of all targets takes up to %s", units.HumanSize(float64(need)))
		if room < need/10 {
			c.State = Fail
		}
	}
	return c
}
