package alpine

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// versionForm is a version as apk-package(5) has it:
// number{.number}…{letter}{_suffix{number}}…{~hash}{-r#}.
var versionForm = regexp.MustCompile(
	`^([0-9]+(?:\.[0-9]+)*)([a-z]?)((?:_[a-z]+[0-9]*)*)(~[0-9a-f]+)?(?:-r([0-9]+))?$`)

// suffixes in their order (apk-package(5)); "" is a version that has none.
var suffixes = []string{"alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"}

// noSuffix is the rank of "".
var noSuffix = slices.Index(suffixes, "")

// compareVersions tells which of two versions is newer, as cmp.Compare does. A text that is
// no version is older than any that is one; two of them are compared as texts.
func compareVersions(a, b string) int {
	x, y := versionForm.FindStringSubmatch(a), versionForm.FindStringSubmatch(b)
	if x == nil || y == nil {
		if (x == nil) == (y == nil) {
			return strings.Compare(a, b)
		}
		return cmp.Compare(len(x), len(y))
	}
	return cmp.Or(
		compareNumbers(strings.Split(x[1], "."), strings.Split(y[1], ".")),
		strings.Compare(x[2], y[2]),
		compareSuffixes(x[3], y[3]),
		strings.Compare(x[4], y[4]),
		compareNumber(x[5], y[5]),
	)
}

// compareNumbers compares 1.2 with 1.2.1: what is longer is newer. After the first, a
// number that begins with 0 is read as digits after a decimal point.
func compareNumbers(a, b []string) int {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		c := compareNumber(x, y)
		if i > 0 && (x[0] == '0' || y[0] == '0') {
			c = strings.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// compareNumber compares numbers of any length; one that is not there is the least.
func compareNumber(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(len(a), len(b))
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// compareSuffixes compares _rc1_p2 with _rc1: a missing one stands between rc and cvs.
func compareSuffixes(a, b string) int {
	x, y := strings.Split(a, "_")[1:], strings.Split(b, "_")[1:]
	for i := range max(len(x), len(y)) {
		rankX, numberX := suffix(x, i)
		rankY, numberY := suffix(y, i)
		if c := cmp.Or(cmp.Compare(rankX, rankY), compareNumber(numberX, numberY)); c != 0 {
			return c
		}
	}
	return 0
}

// suffix gives rank and number of the i-th suffix. An unknown one is older than all.
func suffix(all []string, i int) (rank int, number string) {
	if i >= len(all) {
		return noSuffix, ""
	}
	name := strings.TrimRight(all[i], "0123456789")
	return slices.Index(suffixes, name), all[i][len(name):]
}

// relation is a dependency or something provided, as apk-world(5) spells it:
// [!]name{@tag}{[<>~=]version}.
type relation struct {
	name     string
	operator string // "", =, <, >, <=, >=, ~, >~, <~
	version  string
	conflict bool
}

// parseRelation reads one word of a D: or p: field.
func parseRelation(word string) relation {
	var r relation
	word, r.conflict = strings.CutPrefix(word, "!")
	end := strings.IndexAny(word, "<>~=@")
	if end < 0 {
		r.name = word
		return r
	}
	r.name, word = word[:end], word[end:]
	if word[0] == '@' {
		if end = strings.IndexAny(word, "<>~="); end < 0 {
			return r
		}
		word = word[end:]
	}
	r.version = strings.TrimLeft(word, "<>~=")
	r.operator = word[:len(word)-len(r.version)]
	if r.operator == "~=" || r.operator == "=~" {
		r.operator = "~"
	}
	return r
}

// fits tells whether a version is one that the relation asks for. Something provided
// without a version fits no relation that asks for one.
func (r relation) fits(version string) bool {
	if r.operator == "" {
		return true
	}
	if version == "" {
		return false
	}
	fuzzy := strings.Contains(r.operator, "~") && beginsWith(version, r.version)
	switch c := compareVersions(version, r.version); r.operator {
	case "=":
		return c == 0
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	case ">=":
		return c >= 0
	case "~":
		return fuzzy
	case "<~":
		return fuzzy || c < 0
	case ">~":
		return fuzzy || c > 0
	}
	return false
}

// beginsWith: 1.6.0_pre1 begins with 1.6, 1.60 does not.
func beginsWith(version, prefix string) bool {
	rest, ok := strings.CutPrefix(version, prefix)
	return ok && (rest == "" || rest[0] < '0' || rest[0] > '9')
}
