// Package targets x.
package targets

import (
	"context"
	"fmt"

	_ "github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/testcontainers/testcontainers-go"
)

// Static builds.
func Static(ctx context.Context, targets *string) error {
	fmt.Println(targets, testcontainers.SessionID())
	return nil
}
