package builder

import (
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/spec"
)

// Go's build cache does not see a C library's headers change: another library, or another
// builder, must have another volume.
func TestCacheKey(t *testing.T) {
	target := defaults.Targets.Built[0]
	key := func(builderKey, digest string) string {
		p := plan.Build{Target: target, Libraries: []plan.Library{{Library: spec.Library{Name: "pcap", SHA256: digest}}}}
		return Job{Image: image.Builder{Keys: map[string]string{target.Name: builderKey}}}.cacheKey(p)
	}
	same := key("a", "1")
	if key("a", "1") != same {
		t.Error("the same inputs give another volume")
	}
	if key("a", "2") == same {
		t.Error("a changed library keeps the volume")
	}
	if key("b", "1") == same {
		t.Error("a changed builder keeps the volume")
	}
}
