package tcap

// P-Abort causes of ITU-T Q.773 §3.1.4 and, from 1 on, of ANSI T1.114.3 §3.4.
var (
	abortCauses = [...]string{
		0: "unrecognized message type",
		1: "unrecognized transaction ID",
		2: "badly formatted transaction portion",
		3: "incorrect transaction portion",
		4: "resource limitation",
	}
	ansiAbortCauses = [...]string{
		1:  "unrecognized package type",
		2:  "incorrect transaction portion",
		3:  "badly structured transaction portion",
		4:  "unassigned responding transaction ID",
		5:  "permission to release problem",
		6:  "resource unavailable",
		7:  "unrecognized dialogue portion ID",
		8:  "badly structured dialogue portion",
		9:  "missing dialogue portion",
		10: "inconsistent dialogue portion",
	}
)

// AbortCauseName is the meaning of a P-Abort cause, or ""; pkg is Message.Package.
func AbortCauseName(pkg byte, cause int16) string {
	names := abortCauses[:]
	if pkg != 0 {
		names = ansiAbortCauses[:]
	}
	if cause < 0 || int(cause) >= len(names) {
		return ""
	}
	return names[cause]
}
