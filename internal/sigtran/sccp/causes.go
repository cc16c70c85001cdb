package sccp

// causeNames are the return causes of ITU-T Q.713 §3.12.
var causeNames = [...]string{
	0:  "no translation for an address of such nature",
	1:  "no translation for this specific address",
	2:  "subsystem congestion",
	3:  "subsystem failure",
	4:  "unequipped user",
	5:  "MTP failure",
	6:  "network congestion",
	7:  "unqualified",
	8:  "error in message transport",
	9:  "error in local processing",
	10: "destination cannot perform reassembly",
	11: "SCCP failure",
	12: "hop counter violation",
	13: "segmentation not supported",
	14: "segmentation failure",
}

// CauseName is the meaning of a return cause, or "".
func CauseName(cause int16) string {
	if cause < 0 || int(cause) >= len(causeNames) {
		return ""
	}
	return causeNames[cause]
}
