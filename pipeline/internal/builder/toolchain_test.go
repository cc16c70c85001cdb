package builder

import (
	"context"
	"os"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/spec"
)

// toolchainJob is a job without a plan on a builder that the engine has, whose toolchain's
// volume is this test's own.
func toolchainJob(t *testing.T) (*engine.Engine, Job) {
	t.Helper()
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	e := connect(t)
	images, err := e.Images(t.Context(), engine.Labelled("builder", map[string]string{"musl-static.builder": "debian"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(images) == 0 {
		t.Skip("the engine has no builder: run `mage static -base=debian` first")
	}
	own := image.Builder{Ref: images[0].ID, Arch: e.Arch, GoKey: "test-" + engine.CheckoutID(t.TempDir())}
	return e, Job{Image: own, Cold: true, Plans: []plan.Build{{Target: spec.Target{Name: "linux/amd64"}}}}
}

func connect(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.Connect(t.Context(), t.TempDir(), "tcapflow")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// A volume that holds half of a toolchain, as of an engine that died, is not used again.
func TestHalfToolchain(t *testing.T) {
	e, j := toolchainJob(t)
	volume := j.caches(e)[goFolder]
	t.Cleanup(func() {
		if _, err := e.DropVolume(context.Background(), volume); err != nil {
			t.Error(err)
		}
	})
	half := engine.Spec{Image: j.Image.Ref, Cmd: []string{"sleep", "600"}, User: "0:0", Caps: []string{"DAC_OVERRIDE"},
		Volumes: map[string]string{goFolder: volume}}
	c, err := e.Start(t.Context(), half)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Output(t.Context(), "rm", "-r", goFolder+"/bin")
	if c.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"half of it is there", "it is made anew", "it is whole"} {
		run := connect(t)
		c, _, err := j.start(t.Context(), run)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if text, err := c.Output(t.Context(), goFolder+"/bin/go", "version"); err != nil {
			t.Errorf("%s: %q, %v", when, text, err)
		}
		whole, err := c.Has(t.Context(), goWhole)
		if err != nil || !whole || run.IsNew(volume) != (when == "it is made anew") {
			t.Errorf("%s: mark %v, new volume %v, %v", when, whole, run.IsNew(volume), err)
		}
		if err := c.Remove(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
