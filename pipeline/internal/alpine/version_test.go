package alpine

import (
	"slices"
	"strings"
	"testing"
)

// Versions in the order that apk-package(5) describes.
func TestCompareVersions(t *testing.T) {
	ordered := strings.Fields(`0.7-r1 0.8_beta1 0.8_beta2 0.8_beta10 0.8_rc1 0.8 0.8_p1 0.9.12 0.12 0.13_alpha 0.13
		1.0 1.0-r0 1.0-r1 1.0-r10 1.0b 1.0b-r1 1.0.1 1.02 1.1_pre1_p1 1.1 1.1_git20240101 1.1_git20240102
		1.2 1.2.1 1.10 2.3.0b-r1 2.3.0b-r2 15.2.0-r3 15.2.1_git20260101-r0 22.1.8-r1 99999999999999999999`)
	for i, a := range ordered {
		for j, b := range ordered {
			got := compareVersions(a, b)
			if want := compareInts(i, j); got != want && a != "1.02" && b != "1.02" {
				t.Errorf("%s and %s: %d, want %d", a, b, got, want)
			}
		}
	}
	// After the first, a number that begins with 0 is read as a fraction's digits.
	if compareVersions("1.02", "1.1") >= 0 || compareVersions("1.02", "1.01") <= 0 {
		t.Error("1.02 does not stand between 1.01 and 1.1")
	}
	if compareVersions("1.0~abc-r1", "1.0~def-r0") >= 0 || compareVersions("no version", "0") >= 0 {
		t.Error("hashes or what is no version")
	}
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestRelations(t *testing.T) {
	for word, fits := range map[string]string{ // version that fits, then one that does not
		"a":                 "1 ",
		"a=1.2-r0":          "1.2-r0 1.2-r1",
		"a>=1.10":           "1.10 1.9",
		"a>3":               "3.0.1 3",
		"a<2":               "1.9 2",
		"a<=2":              "2 2.0",
		"a~1.6":             "1.6.0_pre1 1.60",
		"a~=1.6":            "1.6 1.7",
		"a>~1.6":            "1.7 1.5",
		"a<~1.6":            "1.6.9 1.7",
		"a@edge=1":          "1 2",
		"!a<2":              "1 3",
		"so:liba.so.1=1.0":  "1.0 1.1",
		"a><Q1abc=":         " 1",
		"cmd:clang=22.1-r0": "22.1-r0 21-r0",
	} {
		r := parseRelation(word)
		yes, no, _ := strings.Cut(fits, " ")
		if yes != "" && !r.fits(yes) || no != "" && r.fits(no) {
			t.Errorf("%s: %+v fits %s: %v, %s: %v", word, r, yes, r.fits(yes), no, r.fits(no))
		}
		if r.conflict != (word[0] == '!') || strings.ContainsAny(r.name, "<>=~@!") {
			t.Errorf("%s: %+v", word, r)
		}
	}
	if parseRelation("a>=1").fits("") || !parseRelation("a").fits("") {
		t.Error("what is provided without a version")
	}
}

// Whatever the texts are, one order holds.
func FuzzVersions(f *testing.F) {
	f.Add("1.0", "1.0_rc1-r2", "1.0a~ff")
	f.Add("", "x", "1..2")
	f.Add("1.00", "1.0", "01.0_p")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if compareVersions(a, b) != -compareVersions(b, a) || compareVersions(a, a) != 0 {
			t.Errorf("%q and %q", a, b)
		}
		list := []string{a, b, c}
		slices.SortFunc(list, compareVersions)
		if compareVersions(list[0], list[2]) > 0 {
			t.Errorf("no order of %q", list)
		}
		parseRelation(a).fits(b)
	})
}
