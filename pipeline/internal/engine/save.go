package engine

import (
	"context"
	"fmt"
	"io"

	"github.com/containerd/errdefs"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Save streams an image as `docker save` does; the caller closes the stream. One that the
// engine does not have is an error: nothing is pulled.
func (e *Engine) Save(ctx context.Context, ref string) (io.ReadCloser, error) {
	if _, err := e.ImageInspect(ctx, ref); errdefs.IsNotFound(err) {
		return nil, fault.New(fault.Usage, "`docker pull "+ref+"` first, or name an OCI layout or a file of `docker save`",
			"the engine has no image %q", ref)
	} else if err != nil {
		return nil, explain(fmt.Errorf("image %s: %w", ref, err))
	}
	stream, err := e.ImageSave(ctx, []string{ref})
	if err != nil {
		return nil, explain(fmt.Errorf("image %s: %w", ref, err))
	}
	return stream, nil
}
