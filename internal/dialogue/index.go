package dialogue

import (
	"math/bits"
	"math/rand/v2"

	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// index finds nodes by a hash: chains in arrays, so that millions of them are no work
// for the garbage collector. Nodes are numbers from 1 on, small ones first; 0 is none.
// The newest node of a hash is found first.
type index struct {
	buckets []uint32 // first node; a power of two of them
	next    []uint32 // by node
	hash    []uint32 // by node
	count   int
}

func (x *index) add(node, hash uint32) {
	if x.count >= len(x.buckets) {
		x.grow()
	}
	for int(node) >= len(x.next) {
		x.next = append(x.next, 0)
		x.hash = append(x.hash, 0)
	}
	b := x.bucket(hash)
	x.next[node], x.hash[node] = *b, hash
	*b = node
	x.count++
}

func (x *index) bucket(hash uint32) *uint32 { return &x.buckets[hash&uint32(len(x.buckets)-1)] }

func (x *index) grow() {
	old := x.buckets
	x.buckets = make([]uint32, max(1024, 2*len(old)))
	for _, node := range old {
		x.move(node)
	}
}

// move puts a chain into the new buckets, its last node first to keep the order.
func (x *index) move(node uint32) {
	var reversed uint32
	for node != 0 {
		following := x.next[node]
		x.next[node], reversed = reversed, node
		node = following
	}
	for node = reversed; node != 0; {
		following := x.next[node]
		b := x.bucket(x.hash[node])
		x.next[node] = *b
		*b = node
		node = following
	}
}

// first returns the first node of a hash.
func (x *index) first(hash uint32) uint32 {
	if len(x.buckets) == 0 {
		return 0
	}
	return x.skip(*x.bucket(hash), hash)
}

// after returns the next node with the same hash.
func (x *index) after(node uint32) uint32 { return x.skip(x.next[node], x.hash[node]) }

func (x *index) skip(node, hash uint32) uint32 {
	for node != 0 && x.hash[node] != hash {
		node = x.next[node]
	}
	return node
}

// crowded tells whether a hash has as many nodes as it may.
func (x *index) crowded(hash uint32) bool {
	n := 0
	for node := x.first(hash); node != 0 && n < maxHops; node = x.after(node) {
		n++
	}
	return n == maxHops
}

func (x *index) remove(node uint32) {
	for at := x.bucket(x.hash[node]); *at != 0; at = &x.next[*at] {
		if *at == node {
			*at = x.next[node]
			x.count--
			return
		}
	}
}

// hasher hashes what names a side. Its keys are random, so that nobody can make up
// traffic whose sides share a bucket.
type hasher struct{ k0, k1 uint64 }

func newHasher() hasher { return hasher{rand.Uint64() | 1, rand.Uint64() | 1} }

func (h hasher) mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^h.k0, b^h.k1)
	return hi ^ lo
}

// byAddress names the side of an address with a transaction ID; without a global title
// by the address's point code, else by the message's.
func (h hasher) byAddress(a *sccp.Address, pc uint32, tid tcap.TID) uint32 {
	sum := uint64(tid.Len())<<40 | uint64(a.SSN)<<32 | uint64(tid.Value())
	digits, n := a.Digits()
	if n == 0 {
		if a.PC != 0 {
			pc = a.PC
		}
		return fold(h.mix(h.mix(sum, uint64(pc)), 1))
	}
	var words [2]uint64
	for i, octet := range digits {
		words[i/8] |= uint64(octet) << (8 * (i % 8))
	}
	return fold(h.mix(h.mix(sum, words[0]), words[1]^uint64(n)<<56))
}

// byPointCode names the side at a point code with a transaction ID.
func (h hasher) byPointCode(pc uint32, tid tcap.TID) uint32 {
	return fold(h.mix(h.mix(uint64(tid.Len())<<32|uint64(tid.Value()), uint64(pc)), 2))
}

func fold(sum uint64) uint32 { return uint32(sum) ^ uint32(sum>>32) }
