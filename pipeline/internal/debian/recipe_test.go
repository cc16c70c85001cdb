package debian

import (
	"fmt"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian/debiantest"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
)

// golden is what Recipe stands for: the digest of a package's layer, and what else is read
// from the package.
const golden = "deb 1 996b5db4bf0d2fb45211a487cddb367ccf6b237d166de081ff6c1d998ed01e49 [MIT GPL-2+]"

func TestRecipe(t *testing.T) {
	packed, err := debiantest.Deb(map[string]string{
		"bin/sh": "-> busybox", "bin/busybox": "#!", "etc/": "", "etc/x.conf": "a = b", "lib/x/y.so": "ELF",
		"usr/share/doc/x/copyright": "License: MIT\n x\n\nLicense: GPL-2+\n",
		"usr/share/doc/x/changelog": "no",
	})
	if err != nil {
		t.Fatal(err)
	}
	var licences []string
	l, err := layer.Assemble(t.Context(), t.TempDir(), Unpack(write(t, packed), AsPackaged, &licences))
	if err != nil {
		t.Fatal(err)
	}
	id, err := l.DiffID()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(Recipe, " ", id.Hex, " ", licences); got != golden {
		t.Errorf("a package is unpacked otherwise now: raise the number of Recipe, then write here\n%s", got)
	}
}
