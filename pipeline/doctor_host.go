package pipeline

import (
	"context"

	"github.com/tcapflow/tcapflow/pipeline/internal/doctor"
)

func (p *Pipeline) examineHost(ctx context.Context) []doctor.Check { return nil }
