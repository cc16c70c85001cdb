// Package key names things by what they are made of.
//
// In: words, each of which stands for an input. Out: a short name that other words do not
// have, for labels, tags, volumes and files.
package key

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// length is that of a key, in hex digits: of two things in 2⁴⁸ two would share one.
const length = 24

// Of is the key of some words. Where one ends and the next begins counts.
func Of(words ...string) string {
	h := sha256.New()
	for _, word := range words {
		fmt.Fprintf(h, "%d:%s,", len(word), word)
	}
	return hex.EncodeToString(h.Sum(nil))[:length]
}
