package alpine

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Bounds of what is read into memory, in bytes: each a hundred times what Alpine has.
const (
	maxSignatures = 1 << 20  // of a file, unpacked
	maxControl    = 16 << 20 // .PKGINFO and the scripts of a package, unpacked
	maxIndex      = 64 << 20 // APKINDEX.tar.gz, packed
	maxIndexText  = 1 << 29  // APKINDEX, unpacked
)

// archive is a file of format 2 (apk-v2(5)), which is gzip streams one after the other: of
// signatures, of the control part, and of the package's files, which an index has not.
type archive struct {
	file       io.ReaderAt
	size       int64
	signatures []signature
	control    *io.SectionReader // packed: what is signed
	data       *io.SectionReader // packed; empty in an index
}

// signature is a file .SIGN.RSA.NAME.rsa.pub of the first part.
type signature struct {
	hash string // RSA, RSA256 or RSA512
	key  string // NAME.rsa.pub
	text []byte
}

// openArchive finds the parts of an archive; what is in them is not looked at but for the
// signatures. withData tells a package from an index.
func openArchive(file io.ReaderAt, size int64, withData bool) (*archive, error) {
	a := &archive{file: file, size: size}
	start, err := a.readSignatures()
	if err != nil {
		return nil, err
	}
	end := size
	if withData {
		if end, err = a.memberEnd(start, maxControl); err != nil {
			return nil, fmt.Errorf("control part: %w", err)
		}
		if end == size {
			return nil, errors.New("cut short: it has no files")
		}
	}
	a.control = io.NewSectionReader(file, start, end-start)
	a.data = io.NewSectionReader(file, end, size-end)
	return a, nil
}

// readSignatures reads the first part, and says where the next one begins.
func (a *archive) readSignatures() (end int64, err error) {
	var text bytes.Buffer
	if end, err = a.member(0, maxSignatures, &text); err != nil {
		return 0, fmt.Errorf("signatures: %w", err)
	}
	if end == a.size {
		return 0, errors.New("cut short: it has nothing but its first part")
	}
	for entries := tar.NewReader(&text); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("signatures: %w", err)
		}
		s, ok := strings.CutPrefix(h.Name, ".SIGN.")
		if !ok {
			return 0, errors.New("not signed")
		}
		kind, key, _ := strings.Cut(s, ".")
		body, err := io.ReadAll(entries) // no longer than the part
		if err != nil {
			return 0, fmt.Errorf("signatures: %w", err)
		}
		a.signatures = append(a.signatures, signature{hash: kind, key: key, text: body})
	}
	if a.signatures == nil {
		return 0, errors.New("not signed")
	}
	return end, nil
}

func (a *archive) memberEnd(start, limit int64) (int64, error) {
	return a.member(start, limit, io.Discard)
}

// member unpacks the gzip stream that begins at start and says where it ends. gzip.Reader
// reads no byte beyond from an io.ByteReader; its own buffer would.
func (a *archive) member(start, limit int64, to io.Writer) (end int64, err error) {
	rest := io.NewSectionReader(a.file, start, a.size-start)
	packed := &countingReader{r: bufio.NewReaderSize(rest, 64<<10)}
	z, err := gzip.NewReader(packed)
	if err != nil {
		return 0, truncated(err)
	}
	z.Multistream(false)
	n, err := io.Copy(to, io.LimitReader(z, limit+1))
	if err != nil {
		return 0, truncated(err)
	}
	if n > limit {
		return 0, fmt.Errorf("more than %d bytes unpacked", limit)
	}
	return start + packed.n, nil
}

// truncated says of an end of file in the middle of a part what it is.
func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("cut short")
	}
	return err
}

// countingReader counts what is read of it.
type countingReader struct {
	r *bufio.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingReader) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// packageInfo is what .PKGINFO says of a package.
type packageInfo struct {
	name, version, arch, licence string
	dataHash                     string // SHA-256 of the packed data part, lower-case hex
}

// info reads .PKGINFO out of the control part.
func (a *archive) info() (packageInfo, error) {
	text, err := unpackControl(a.control)
	if err != nil {
		return packageInfo{}, err
	}
	for entries := tar.NewReader(bytes.NewReader(text)); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return packageInfo{}, errors.New("no .PKGINFO")
		}
		if err != nil {
			return packageInfo{}, fmt.Errorf("control part: %w", err)
		}
		if h.Name == ".PKGINFO" {
			return parseInfo(entries)
		}
	}
}

func unpackControl(control *io.SectionReader) ([]byte, error) {
	var text bytes.Buffer
	a := archive{file: control, size: control.Size()}
	if _, err := a.member(0, maxControl, &text); err != nil {
		return nil, fmt.Errorf("control part: %w", err)
	}
	return text.Bytes(), nil
}

// parseInfo reads lines of "key = value" (apk-v2(5)).
func parseInfo(text io.Reader) (packageInfo, error) {
	var info packageInfo
	fields := map[string]*string{"pkgname": &info.name, "pkgver": &info.version, "arch": &info.arch,
		"license": &info.licence, "datahash": &info.dataHash}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), " = ")
		if field := fields[key]; ok && field != nil {
			*field = value
		}
	}
	return info, lines.Err()
}

// checkControl sees that the control part is the one that an index names: Q1 and the base64
// of its SHA-1, or Q2 and that of its SHA-256.
func (a *archive) checkControl(checksum string) error {
	var h hash.Hash
	switch {
	case strings.HasPrefix(checksum, "Q1"):
		h = sha1.New()
	case strings.HasPrefix(checksum, "Q2"):
		h = sha256.New()
	default:
		return fmt.Errorf("the index has %.80q, which is no checksum that is known", checksum)
	}
	if err := sumOf(h, a.control); err != nil {
		return err
	}
	if got := checksum[:2] + base64.StdEncoding.EncodeToString(h.Sum(nil)); got != checksum {
		return fmt.Errorf("its control part is another than the index names: %s, wanted %s", got, checksum)
	}
	return nil
}

// checkData sees that the data part is the one that .PKGINFO names.
func (a *archive) checkData(info packageInfo) error {
	h := sha256.New()
	if err := sumOf(h, a.data); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != info.dataHash {
		return fmt.Errorf("its files are others than its control part names: %s, wanted %.64q",
			got, info.dataHash)
	}
	return nil
}

func sumOf(h hash.Hash, part *io.SectionReader) error {
	_, err := io.Copy(h, io.NewSectionReader(part, 0, part.Size()))
	return err
}
