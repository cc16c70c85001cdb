package debian

import (
	"cmp"
	"strings"
)

// CompareVersions orders two versions as dpkg does: negative where a is the older one
// (deb-version(7), "Sorting algorithm").
func CompareVersions(a, b string) int {
	epochA, a := epoch(a)
	epochB, b := epoch(b)
	upstreamA, revisionA := cutRevision(a)
	upstreamB, revisionB := cutRevision(b)
	return cmp.Or(
		compareNumbers(epochA, epochB), comparePart(upstreamA, upstreamB), comparePart(revisionA, revisionB))
}

// epoch is what stands before the first colon; none is zero.
func epoch(v string) (number, rest string) {
	before, after, ok := strings.Cut(v, ":")
	if !ok {
		return "", v
	}
	return before, after
}

// cutRevision cuts at the last hyphen; no revision is that of zero.
func cutRevision(v string) (upstream, revision string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}

// comparePart compares, in turns, what is not a number by its letters and numbers by value.
func comparePart(a, b string) int {
	for a != "" || b != "" {
		var wordA, wordB, numberA, numberB string
		wordA, a = span(a, false)
		wordB, b = span(b, false)
		numberA, a = span(a, true)
		numberB, b = span(b, true)
		if c := cmp.Or(compareWords(wordA, wordB), compareNumbers(numberA, numberB)); c != 0 {
			return c
		}
	}
	return 0
}

// span cuts off the digits at the beginning, or all up to the first digit.
func span(s string, digits bool) (head, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool { return (r >= '0' && r <= '9') != digits })
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

func compareWords(a, b string) int {
	for i := 0; i < len(a) || i < len(b); i++ {
		if c := cmp.Compare(weight(a, i), weight(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

// weight is the rank of a byte: a tilde goes before the end, letters before all else.
func weight(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z':
		return int(s[i])
	}
	return int(s[i]) + 256
}

// compareNumbers compares numbers of any length by value.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
