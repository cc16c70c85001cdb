package key

import "testing"

func TestOf(t *testing.T) {
	seen := map[string][]string{}
	for _, words := range [][]string{nil, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"a\nb"}, {"b", "a"}, {"1:a,"}, {"a", ""}} {
		k := Of(words...)
		if other, ok := seen[k]; ok {
			t.Errorf("%q and %q share %s", words, other, k)
		}
		if seen[k] = words; len(k) != length || k != Of(words...) {
			t.Errorf("%q: %s", words, k)
		}
	}
}
