package stream

import "io"

// Bounded reads from r and fails with tooLarge, where io.LimitReader would end, after n bytes.
func Bounded(r io.Reader, n int64, tooLarge error) io.Reader { return &bounded{r, n, tooLarge} }

type bounded struct {
	r        io.Reader
	n        int64
	tooLarge error
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n -= int64(n); b.n < 0 {
		return 0, b.tooLarge
	}
	return n, err
}
