package template

import "context"

func (n New) whole(ctx context.Context) error { return nil }
