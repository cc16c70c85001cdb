package release

import (
	"encoding/binary"

	"github.com/tcapflow/tcapflow/spec"
)

// capabilityAttribute is the extended attribute of file capabilities, capabilities(7).
const capabilityAttribute = "security.capability"

// vfsCapRevision2 is VFS_CAP_REVISION_2 of linux/capability.h: two words of permitted and
// inheritable capabilities each. Engines in user namespaces may store revision 3.
const vfsCapRevision2 = 0x02000000

// fileCapabilities is the attribute's value, a struct vfs_cap_data in little-endian order,
// 20 octets: `setcap cap_…=p`. The capabilities are permitted, not effective: with the
// effective bit a container that lacks one of them could not even start the program (EPERM,
// capabilities(7), "Safety checking for capability-dumb binaries"). The program raises them.
func fileCapabilities(capabilities []spec.Capability) []byte {
	var permitted uint64
	for _, c := range capabilities {
		permitted |= 1 << c
	}
	value := binary.LittleEndian.AppendUint32(nil, vfsCapRevision2)
	for word := range 2 {
		value = binary.LittleEndian.AppendUint32(value, uint32(permitted>>(32*word)))
		value = binary.LittleEndian.AppendUint32(value, 0) // inheritable
	}
	return value
}

// capabilityXattrs are the attributes of the program in an image.
func capabilityXattrs(capabilities []spec.Capability) map[string][]byte {
	if len(capabilities) == 0 {
		return nil
	}
	return map[string][]byte{capabilityAttribute: fileCapabilities(capabilities)}
}
