package names

// inContexts are the application contexts of CAP, by their encoded object identifier:
// phases 1 and 2 of GSM 09.78 §5 (0.4.0.0.1.0.50 to 52), 3 and 4 of 3GPP TS 29.078 §2.2
// (0.4.0.0.1.20 to 23).
var inContexts = map[string]string{
	"\x04\x00\x00\x01\x00\x32\x00": "gsmSSF-to-gsmSCF",
	"\x04\x00\x00\x01\x00\x32\x01": "gsmSSF-to-gsmSCF",
	"\x04\x00\x00\x01\x00\x33\x01": "assist-gsmSSF-to-gsmSCF",
	"\x04\x00\x00\x01\x00\x34\x01": "gsmSRF-to-gsmSCF",
	"\x04\x00\x00\x01\x15\x03\x04": "capssf-scfGeneric",
	"\x04\x00\x00\x01\x15\x03\x06": "capssf-scfAssistHandoff",
	"\x04\x00\x00\x01\x14\x03\x0e": "gsmSRF-gsmSCF",
	"\x04\x00\x00\x01\x15\x03\x32": "gprsSSF-gsmSCF",
	"\x04\x00\x00\x01\x15\x03\x33": "gsmSCF-gprsSSF",
	"\x04\x00\x00\x01\x15\x03\x3d": "smsSSF-gsmSCF",
	"\x04\x00\x00\x01\x17\x03\x04": "capssf-scfGeneric",
	"\x04\x00\x00\x01\x17\x03\x06": "capssf-scfAssistHandoff",
	"\x04\x00\x00\x01\x17\x03\x08": "scf-ssfGeneric",
	"\x04\x00\x00\x01\x16\x03\x0e": "gsmSRF-gsmSCF",
	"\x04\x00\x00\x01\x17\x03\x3d": "smsSSF-gsmSCF",
}
