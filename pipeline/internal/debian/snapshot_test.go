package debian

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
)

// snapshotServer is a snapshot archive that answers as Debian's does.
type snapshotServer struct {
	mu      sync.Mutex
	answers map[string]*answer // by escaped path and query
	files   map[string][]byte  // by SHA-1
	asked   []string           // the same paths
	status  int                // of every answer, if it is not 0
}

// newSnapshotServer makes one, and the archive that the mirror asks.
func newSnapshotServer(t *testing.T, m *fakeMirror) *snapshotServer {
	t.Helper()
	s := &snapshotServer{answers: map[string]*answer{}, files: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	m.Snapshot = NewSnapshot(server.URL)
	return s
}

// add puts a file there, and says so at a path.
func (s *snapshotServer) add(path, arch, name string, text []byte) {
	sum := sha1.Sum(text)
	hash := hex.EncodeToString(sum[:])
	s.files[hash] = text
	info, _ := json.Marshal(map[string]any{
		"result": []any{map[string]any{"architecture": arch, "hash": hash}},
		"fileinfo": map[string]any{hash: []any{
			map[string]any{"archive_name": "debian", "name": name, "size": len(text)}},
		},
	})
	var more answer
	if err := json.Unmarshal(info, &more); err != nil {
		panic(err)
	}
	if s.answers[path] == nil {
		s.answers[path] = &answer{FileInfo: more.FileInfo}
	}
	s.answers[path].Result = append(s.answers[path].Result, more.Result...)
	s.answers[path].FileInfo[hash] = more.FileInfo[hash]
}

func (s *snapshotServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := r.RequestURI
	s.asked = append(s.asked, path)
	hash, isFile := strings.CutPrefix(path, "/file/")
	switch {
	case s.status != 0:
		w.WriteHeader(s.status)
	case isFile && s.files[hash] != nil:
		w.Write(s.files[hash])
	case s.answers[path] != nil:
		json.NewEncoder(w).Encode(s.answers[path])
	default:
		http.NotFound(w, r)
	}
}

const muslDevFiles = "/mr/binary/musl-dev/1/binfiles?fileinfo=1"

// A package that the pools have dropped comes from the archive, and only that one.
func TestDebsOfSnapshot(t *testing.T) {
	m := newMirror(t)
	other := m.second(t)
	packages := m.locked(t)
	s := newSnapshotServer(t, m)
	deb := m.files["pool/main/musl-dev_1_amd64.deb"]
	s.add(muslDevFiles, "i386", "musl-dev_1_i386.deb", []byte("of another architecture"))
	// Of the same name and size is another file, too.
	s.add(muslDevFiles, "amd64", "musl-dev_1_amd64.deb", []byte("deb of musl-dev 1 for amd65"))
	s.add(muslDevFiles, "amd64", "musl-dev_1_amd64.deb", deb)
	m.remove("pool/main/musl-dev_")
	other.remove("pool/main/musl-dev_")
	said := m.said()
	paths, err := m.Debs(t.Context(), packages)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(paths[1]); err != nil || string(text) != string(deb) {
		t.Errorf("%s, %v", text, err)
	}
	if len(s.asked) != 3 || s.asked[0] != muslDevFiles {
		t.Errorf("asked for %q, want one list and two files", s.asked)
	}
	const looks = "; 1 of 2 packages are looked for in the snapshot archive http://"
	if len(*said) != 2 || !strings.Contains((*said)[1], looks) {
		t.Errorf("said %q", *said)
	}
	s.asked = nil
	if _, err := m.Debs(t.Context(), packages); err != nil || len(s.asked) > 0 {
		t.Errorf("asked again: %q, %v", s.asked, err)
	}
}

// An epoch has a colon in the path of the list, and none in the name of the file.
func TestSnapshotEpoch(t *testing.T) {
	m := newMirror(t)
	s := newSnapshotServer(t, m)
	deb := []byte("deb with an epoch")
	const file = "qemu-user_10.0.13+ds-0+deb13u1_all.deb"
	s.add("/mr/binary/qemu-user/1%3A10.0.13+ds-0+deb13u1/binfiles?fileinfo=1", "all", file, deb)
	p := Package{Name: "qemu-user", Version: "1:10.0.13+ds-0+deb13u1", Arch: "all",
		SHA256: sha(deb), Size: int64(len(deb)), Filename: "pool/main/q/qemu/" + file}
	if _, err := m.Debs(t.Context(), []Package{p}); err != nil {
		t.Errorf("%v, asked for %q", err, s.asked)
	}
}

func TestSnapshotHasNot(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(m *fakeMirror, s *snapshotServer)
		says  string
		gone  bool // it is: a lock may be resolved anew
	}{
		"switched off": {func(m *fakeMirror, s *snapshotServer) { m.Snapshot = nil },
			"musl-dev_1_amd64.deb: not on the server", true},
		"no package": {func(m *fakeMirror, s *snapshotServer) {}, "; nor in the snapshot archive: http://", true},
		"no such file": {func(m *fakeMirror, s *snapshotServer) {
			s.add(muslDevFiles, "arm64", "musl-dev_1_arm64.deb", []byte("x"))
		}, "has no musl-dev 1 for amd64", true},
		"busy": {func(m *fakeMirror, s *snapshotServer) { s.status = http.StatusTooManyRequests }, "429", true},
		"no JSON": {func(m *fakeMirror, s *snapshotServer) {
			m.Snapshot = NewSnapshot(m.URL)
			m.files["mr/binary/musl-dev/1/binfiles"] = []byte("<html>")
		}, "invalid character", true},
		"lies": {func(m *fakeMirror, s *snapshotServer) {
			s.add(muslDevFiles, "amd64", "musl-dev_1_amd64.deb", []byte("deb of musl-dev 1 for amd65"))
		}, "SHA-256 differs", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t)
			packages := m.locked(t)
			s := newSnapshotServer(t, m)
			m.remove("pool/main/musl-dev_")
			c.spoil(m, s)
			_, err := m.Debs(t.Context(), packages)
			if code(err) != fault.Fetch || !strings.Contains(firstLine(err), c.says) {
				t.Errorf("got %v", err)
			}
			if errors.Is(err, fetch.ErrGone) != c.gone || errors.Is(err, ErrUnavailable) != c.gone {
				t.Errorf("%v: gone is %t", err, !c.gone)
			}
			if !strings.Contains(err.Error(), "\n  next: ") || strings.Count(err.Error(), "\n") != 1 {
				t.Errorf("not a line and the next step: %v", err)
			}
		})
	}
}

func TestArchivedSource(t *testing.T) {
	m := newMirror(t)
	s := newSnapshotServer(t, m)
	const pool = Placeholder + "/pool/main/libp/libpcap/libpcap_1.10.5.orig.tar.xz"
	tar := []byte("tar")
	s.answers["/mr/package/libpcap/"] = &answer{}
	const list = `{"result":[
		{"version":"1.10.6-1"}, {"version":"1.10.5-2"}, {"version":"1.10.5-1"}, {"version":"1.9-1"}]}`
	if err := json.Unmarshal([]byte(list), s.answers["/mr/package/libpcap/"]); err != nil {
		t.Fatal(err)
	}
	s.add("/mr/package/libpcap/1.10.5-2/srcfiles?fileinfo=1", "", "libpcap_1.10.5-2.dsc", []byte("dsc"))
	s.add("/mr/package/libpcap/1.10.5-2/srcfiles?fileinfo=1", "", "libpcap_1.10.5.orig.tar.xz", tar)
	s.add("/mr/package/libpcap/1.10.5-1/srcfiles?fileinfo=1", "", "libpcap_1.10.5.orig.tar.xz", tar)
	local, err := m.Archived(t.Context(), pool, sha(tar))
	if err != nil || local != m.Cache.Path(sha(tar)) {
		t.Errorf("%s, %v, asked for %q", local, err, s.asked)
	}
	if slices.ContainsFunc(s.asked, func(path string) bool { return strings.Contains(path, "1.10.6") }) {
		t.Errorf("asked for %q", s.asked)
	}
	_, err = m.Archived(t.Context(), strings.Replace(pool, "1.10.5", "1.8", 1), sha(tar))
	if err == nil || !strings.Contains(err.Error(), "has no libpcap_1.8.orig.tar.xz") {
		t.Errorf("a version that never was: %v", err)
	}
	const author, native = "https://author.example/libpcap.tar.xz", Placeholder + "/pool/main/n/native/native_3.tar.xz"
	for _, url := range []string{author, native} {
		if _, err := m.Archived(t.Context(), url, sha(tar)); !errors.Is(err, ErrNotAsked) {
			t.Errorf("%s: %v", url, err)
		}
	}
	m.Snapshot = nil
	if _, err := m.Archived(t.Context(), pool, sha(tar)); !errors.Is(err, ErrNotAsked) {
		t.Errorf("switched off: %v", err)
	}
}

// Whatever the archive answers, no path but /file/SHA1 is made of it.
func FuzzSnapshotAnswer(f *testing.F) {
	hash := strings.Repeat("ab", 20)
	f.Add(`{"result":[{"architecture":"amd64","hash":"` + hash + `"}],"fileinfo":{"` + hash +
		`":[{"name":"a.deb","size":1}]}}`)
	f.Add(`{"result":[{"hash":"../../x","version":"1:2-3"}],"fileinfo":{"../../x":[{"name":"a.deb","size":1}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var a answer
		if json.Unmarshal([]byte(text), &a) != nil {
			return
		}
		for _, r := range a.Result {
			if a.fits(r.Hash, "a.deb", 1) && (len(r.Hash) != 40 || strings.Trim(r.Hash, "0123456789abcdef") != "") {
				t.Errorf("%q counts as a SHA-1", r.Hash)
			}
		}
		if n := len(a.revisions("2")); n > maxVersions {
			t.Error(fmt.Sprint(n, " versions are looked at"))
		}
	})
}
