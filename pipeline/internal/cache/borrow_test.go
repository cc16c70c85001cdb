package cache

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBorrow(t *testing.T) {
	users := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", users)
	if at, err := os.UserCacheDir(); err != nil || at != users {
		t.Skipf("skipped: this system's cache folder is %s, whatever XDG_CACHE_HOME says", at)
	}
	open := func(name string) Folder {
		f, err := Open(filepath.Join(users, name))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	write := func(name string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("tar"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mine, theirs := open("yourtool"), open("tcapflow")
	write(filepath.Join(theirs.Libraries(), "zlib-1.tar"))
	write(filepath.Join(users, "browser", "libraries", "zlib-2.tar")) // not of ours
	has := func(name string) bool {
		mine.Borrow(filepath.Join(mine.Libraries(), name))
		_, err := os.Stat(filepath.Join(mine.Libraries(), name))
		return err == nil
	}
	if !has("zlib-1.tar") || has("zlib-2.tar") || has("zlib-3.tar") {
		t.Error("borrowed what it should not, or not what it should")
	}
	if _, err := theirs.Remove(); err != nil {
		t.Fatal(err)
	}
	if !has("zlib-1.tar") {
		t.Error("it went with the other project's")
	}
	mine.Borrow(filepath.Join(users, "outside"))
	elsewhere, err := Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere.Borrow(filepath.Join(elsewhere.Libraries(), "zlib-1.tar"))
	if _, err := os.Stat(filepath.Join(elsewhere.Libraries(), "zlib-1.tar")); err == nil {
		t.Error("borrowed from a folder that may be anybody's")
	}
}
