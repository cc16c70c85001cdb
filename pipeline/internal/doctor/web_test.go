package doctor

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPage(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/401" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	plain, tls := httptest.NewServer(http.HandlerFunc(answer)),
		httptest.NewTLSServer(http.HandlerFunc(answer))
	defer plain.Close()
	defer tls.Close()
	for name, c := range map[string]struct {
		page       Page
		want       State
		text, next string
	}{
		"answers":      {Page{URL: plain.URL}, OK, "answers in", ""},
		"refuses":      {Page{URL: plain.URL + "/401"}, Warn, "401", "the usual"},
		"as it should": {Page{URL: plain.URL + "/401", Codes: []int{401}}, OK, "answers in", ""},
		"nobody":       {Page{URL: "http://127.0.0.1:1"}, Warn, "connection refused", "the usual"},
		"proxy's CA":   {Page{URL: tls.URL}, Warn, "unknown authority", "SSL_CERT_FILE"},
	} {
		c.page.Needed, c.page.Next = Warn, "the usual"
		got := c.page.Ask(t.Context(), http.DefaultClient)
		if got.State != c.want || !strings.Contains(got.Text, c.text) || !strings.Contains(got.Next, c.next) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestCertificates(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	der := s.Certificate().Raw
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, c := range map[string]struct {
		text []byte
		now  time.Time
		want State
		next string
	}{
		"good":    {text, s.Certificate().NotBefore, OK, ""},
		"over":    {text, s.Certificate().NotAfter.Add(time.Hour), Fail, "new certificate"},
		"DER":     {der, time.Now(), Fail, "-inform der"},
		"nothing": {[]byte("hello"), time.Now(), Fail, "PEM"},
	} {
		if got := Certificates("ca.pem", c.text, c.now); got.State != c.want || !strings.Contains(got.Next,
			c.next) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestDisk(t *testing.T) {
	dir := t.TempDir() + "/not/there/yet"
	if c := Disk("disk", dir, 1, "free some"); c.State != OK {
		t.Errorf("one byte: %+v", c)
	}
	if _, known := free("/"); !known {
		t.Skip("skipped: how much is free is not known here")
	}
	if c := Disk("disk", dir, 1<<62, "free some"); c.State != Fail || c.Next != "free some" {
		t.Errorf("more than there is: %+v", c)
	}
}
