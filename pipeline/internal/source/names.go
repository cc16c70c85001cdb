package source

import "context"

// Names lists the files of a checkout, or of an unpacked tarball, without a look into them.
// A file that is gone from the working tree may be among them.
func Names(ctx context.Context, root string) ([]string, error) {
	git, err := findGit(ctx, root)
	if err != nil {
		return nil, err
	}
	if git == nil {
		return walk(root)
	}
	names, _, err := git.files(ctx)
	return names, err
}
