package export

import "time"

// stampCache formats time stamps. Those of one second have all but the fraction in
// common.
type stampCache struct {
	second int64
	text   []byte // up to the decimal point
}

func (c *stampCache) append(dst []byte, nanoseconds int64) []byte {
	second, fraction := nanoseconds/1e9, nanoseconds%1e9
	if fraction < 0 {
		second, fraction = second-1, fraction+1e9
	}
	if second != c.second || c.text == nil {
		c.second = second
		c.text = time.Unix(second, 0).UTC().AppendFormat(c.text[:0], "2006-01-02T15:04:05.")
	}
	dst = append(dst, c.text...)
	for unit := int64(1e8); unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+fraction/unit%10))
	}
	return append(dst, 'Z')
}
