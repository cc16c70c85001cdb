package layer

import "testing"

// golden is what Recipe stands for: the digest of a layer of all that can be in one.
const golden = "layer 1 198d32420b8db844b1d8c45edd5ff561461f70e5856b4ce90017d76b46c627cf"

func TestRecipe(t *testing.T) {
	l, err := Assemble(t.Context(), t.TempDir(),
		Entries(Entry{Name: "usr/"}, Entry{Name: "usr/bin/x", Data: []byte("#!"), Mode: 0o755}, Entry{Name: "bin", Link: "usr/bin"}),
		Entries(Entry{Name: "tmp/", Mode: 0o1777}, Entry{Name: "home/u/f", Data: []byte("text"), UID: 65532},
			Entry{Name: "usr/bin/cap", Data: []byte("x"), Xattrs: map[string][]byte{"security.capability": {1, 0, 0, 2}}}))
	if err != nil {
		t.Fatal(err)
	}
	if got := Recipe + " " + l.diffID.Hex; got != golden {
		t.Errorf("a layer is other bytes now: raise the number of Recipe, then write here\n%s", got)
	}
}
