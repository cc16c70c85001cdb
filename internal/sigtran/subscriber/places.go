package subscriber

// kind says which number stands at a place, and how it is encoded.
type kind byte

const (
	imsi kind = iota
	msisdn
	callingAddress // AddressString
	calledAddress
	callingNumber // ITU-T Q.763
	calledNumber
)

// direction tells an argument from a result.
type direction byte

const (
	invoke direction = iota
	result
)

const (
	octetString = 0x04
	sequence    = 0x30
)

// place is where a number stands in an operation's argument or result.
type place struct {
	in    direction
	what  kind
	nth   uint8  // of octet strings, how many come before it
	tag   uint32 // of the element, as it is encoded
	inner uint32 // of the one inside it, where it is a choice or a sequence; else 0
}

// Places that many operations have in common.
var (
	firstIMSI   = []place{{tag: octetString}}               // imsi IMSI
	taggedIMSI  = []place{{tag: 0x80}}                      // imsi [0] IMSI
	firstMSISDN = []place{{tag: octetString, what: msisdn}} // msisdn ISDN-AddressString
	ussd        = []place{{tag: 0x80, what: msisdn}}        // msisdn [0]
	identity    = []place{                                  // subscriberIdentity [0] SubscriberIdentity
		{tag: 0xa0, inner: 0x80},
		{tag: 0xa0, inner: 0x81, what: msisdn},
	}
)

// mapPlaces are those of MAP by operation code: 3GPP TS 29.002 §17.7, older versions of
// the operations among them.
var mapPlaces = [128][]place{
	2: firstIMSI, // updateLocation
	3: { // cancelLocation
		{tag: octetString}, {tag: sequence, inner: octetString},
	},
	4: { // provideRoamingNumber
		{tag: 0x80}, {tag: 0x82, what: msisdn},
	},
	7: { // insertSubscriberData
		{tag: 0x80}, {tag: 0x81, what: msisdn},
	},
	8:  taggedIMSI, // deleteSubscriberData
	15: firstIMSI,  // authenticationFailureReport
	22: { // sendRoutingInfo
		{tag: 0x80, what: msisdn}, {in: result, tag: 0x89}, {in: result, tag: 0x8c, what: msisdn},
	},
	23: firstIMSI,  // updateGprsLocation
	24: taggedIMSI, // sendRoutingInfoForGprs
	25: taggedIMSI, // failureReport
	26: taggedIMSI, // noteMsPresentForGprs
	44: { // mt-forwardSM
		{tag: 0x80}, {tag: 0x82, what: msisdn},
	},
	45: { // sendRoutingInfoForSM
		{tag: 0x80, what: msisdn}, {in: result, tag: octetString},
	},
	46: { // mo-forwardSM: sm-RP-UI comes before
		{tag: 0x80}, {tag: 0x82, what: msisdn}, {tag: octetString, nth: 1},
	},
	47: firstMSISDN,                      // reportSM-DeliveryStatus
	48: firstIMSI,                        // noteSubscriberPresent
	49: firstMSISDN,                      // alertServiceCentreWithoutResult
	50: taggedIMSI,                       // activateTraceMode
	51: taggedIMSI,                       // deactivateTraceMode
	55: {{in: result, tag: octetString}}, // sendIdentification
	56: { // sendAuthenticationInfo: versions 2 and 3
		{tag: octetString}, {tag: 0x80},
	},
	57: firstIMSI, // restoreData
	58: { // sendIMSI
		{tag: octetString, what: msisdn}, {in: result, tag: octetString},
	},
	59: ussd,        // processUnstructuredSS-Request
	60: ussd,        // unstructuredSS-Request
	61: ussd,        // unstructuredSS-Notify
	62: identity,    // anyTimeSubscriptionInterrogation
	63: firstMSISDN, // informServiceCentre
	64: firstMSISDN, // alertServiceCentre
	65: identity,    // anyTimeModification
	66: taggedIMSI,  // readyForSM
	67: firstIMSI,   // purgeMS
	70: taggedIMSI,  // provideSubscriberInfo
	71: identity,    // anyTimeInterrogation
	73: taggedIMSI,  // setReportingState
	74: taggedIMSI,  // statusReport
	75: taggedIMSI,  // remoteUserFree
	83: { // provideSubscriberLocation
		{tag: 0x82}, {tag: 0x83, what: msisdn},
	},
	85: { // sendRoutingInfoForLCS: targetMS
		{tag: 0xa1, inner: 0x80}, {tag: 0xa1, inner: 0x81, what: msisdn},
		{in: result, tag: 0xa0, inner: 0x80}, {in: result, tag: 0xa0, inner: 0x81, what: msisdn},
	},
	86: { // subscriberLocationReport
		{tag: 0x80, what: msisdn}, {tag: 0x81},
	},
	89: { // noteMM-Event
		{tag: 0x82}, {tag: 0x83, what: msisdn},
	},
}

// capPlaces are those of CAP and INAP by operation code. Tags above 30 have two octets.
var capPlaces = [128][]place{
	0: { // initialDP, TS 29.078 §6.1: calledPartyNumber, callingPartyNumber, iMSI, calledPartyBCDNumber
		{tag: 0x82, what: calledNumber}, {tag: 0x83, what: callingNumber},
		{tag: 0x9f32}, {tag: 0x9f38, what: calledAddress},
	},
	60: { // initialDPSMS, §7.1: destinationSubscriberNumber, callingPartyNumber, iMSI
		{tag: 0x81, what: calledAddress}, {tag: 0x82, what: callingAddress}, {tag: 0x84},
	},
	78: {{tag: 0x82, what: msisdn}, {tag: 0x83}}, // initialDPGPRS, §8.1: mSISDN, iMSI
}
