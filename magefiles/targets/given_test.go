package targets

import (
	"slices"
	"testing"
)

func TestListOf(t *testing.T) {
	some, none := "a,b", ""
	if got := listOf(&some); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
	if listOf(nil) != nil || listOf(&none) != nil {
		t.Error("an option that was not given is not empty")
	}
}
