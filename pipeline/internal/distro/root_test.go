package distro

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

// mirror is a Debian mirror that serves these files alone, and trusts a key.
func mirror(t *testing.T, keyring []byte, files map[string][]byte) debian.Mirror {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Write(text)
	}))
	t.Cleanup(server.Close)
	cache := &fetch.Cache{Dir: t.TempDir(), Pause: time.Microsecond}
	return debian.Mirror{URL: server.URL, Keyring: keyring, Cache: cache}
}

// updating is a mirror in the middle of an update: its signed InRelease is new, its
// index is still the old one.
func updating(t *testing.T, arch string) debian.Mirror {
	key, err := openpgp.NewEntity("archive", "", "archive@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	before, after := []byte("the index before"), []byte("the index, after")
	index := "main/binary-" + arch + "/Packages.xz"
	release := fmt.Sprintf("Codename: trixie\nDate: Sat, 12 Sep 2026 07:55:41 UTC\nSHA256:\n %x %d %s\n",
		sha256.Sum256(after), len(after), index)
	var signed, keyring bytes.Buffer
	w, err := clearsign.Encode(&signed, key.PrivateKey, nil)
	if err == nil {
		_, err = w.Write([]byte(release))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	public, err := armor.Encode(&keyring, openpgp.PublicKeyType, nil)
	if err == nil {
		err = key.Serialize(public)
	}
	if err != nil || public.Close() != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"/dists/trixie/InRelease": signed.Bytes(), "/dists/trixie/" + index: before}
	return mirror(t, keyring.Bytes(), files)
}

// Without a mirror that serves today, a root of an earlier day will do.
func TestEngineOlderRoot(t *testing.T) {
	w := newWorld(t)
	forged := updating(t, w.target.Debian)
	forged.Keyring = updating(t, w.target.Debian).Keyring // of another key
	mirrors := map[string]debian.Mirror{"gone": mirror(t, nil, nil), "updating": updating(t, w.target.Debian), "forged": forged}
	for name, m := range mirrors {
		t.Run(name, func(t *testing.T) {
			r := root{spec.Distro{Name: "tcapflow-test-" + name, Suite: "trixie"}, w.target}
			adopted := w.engine.Tag(kindRoot, r.name()) // the second name of the root below
			w.engine.ImageRemove(t.Context(), adopted, client.ImageRemoveOptions{})
			defer w.engine.ImageRemove(context.WithoutCancel(t.Context()), adopted, client.ImageRemoveOptions{})
			if _, err := r.ensure(t.Context(), w.engine, m, t.TempDir(), t.Output()); codeOf(err) != fault.Fetch {
				t.Fatalf("without any root: %v", err)
			}
			tag := "tcapflow-test-distro:" + name
			l, err := layer.Assemble(t.Context(), t.TempDir(), layer.Entries(layer.Entry{Name: "etc/" + name}))
			w.must(err)
			config := v1.Config{Labels: engine.Labelled(kindRoot, map[string]string{labelRoot: r.name()})}
			w.must(image.Load(t.Context(), w.engine, tag, config, w.target.GOARCH, l))
			defer w.engine.ImageRemove(context.WithoutCancel(t.Context()), tag, client.ImageRemoveOptions{})
			older, ok := (&runner{engine: w.engine}).present(t.Context(), tag, w.target)
			var log strings.Builder
			ref, err := r.ensure(t.Context(), w.engine, m, t.TempDir(), &log)
			if name == "forged" {
				if !errors.Is(err, debian.ErrForged) || ref != "" {
					t.Errorf("an old root is used after a bad signature: %q, %v", ref, err)
				}
				return
			}
			if err != nil || !ok || ref != older || !strings.Contains(log.String(), "using the root that is there") {
				t.Errorf("got %q, %v, want %s; log %q", ref, err, older, &log)
			}
		})
	}
}

// A root that cannot be had is a skip; without any, or if it is required, the run has failed.
func TestEngineNoRoot(t *testing.T) {
	w := newWorld(t)
	rows := []spec.Distro{{Name: "scratch", Packed: "scratch"}, {Name: "debian99", Suite: "trixie"}}
	for i := range rows {
		rows[i].Targets = []string{w.target.Name}
	}
	for _, test := range []struct {
		require []string
		status  Status
		says    string
	}{
		{nil, Skip, "no Debian root could be had"},
		{[]string{"debian"}, Fail, "tests failed in distributions: debian99/"},
	} {
		report, err := Run(t.Context(), w.engine, Options{
			Project: with(rows...), Dist: w.dist, Targets: defaults.Targets.Built,
			Only: "///version", Require: test.require, Natives: []string{w.engine.Arch}, Mirror: mirror(t, nil, nil),
			Temp: t.TempDir(), Stdout: t.Output(), Stderr: t.Output(),
		})
		if codeOf(err) != fault.Fetch || !strings.Contains(err.Error(), test.says) {
			t.Errorf("-require=%s: %v, want %q", test.require, err, test.says)
		}
		c := report.Cells[1]
		if report.Passed != 1 || c.Status != test.status || !strings.Contains(c.Reason, "InRelease") {
			t.Errorf("-require=%s: %+v", test.require, report)
		}
	}
	w.nothingLeft()
}
