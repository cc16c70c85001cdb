package names

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	build "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// context is an application context, decoded as it comes.
func context(t *testing.T, oid ...byte) *tcap.OID {
	t.Helper()
	var m tcap.Message
	in := build.TLV(0x62, build.OTID("x"), build.TLV(0x6b, build.TLV(0x28, build.TLV(0xa0, build.TLV(0x60, build.TLV(0xa1, build.TLV(6, oid)))))))
	if ok, err := m.Parse(in); !ok || err != nil {
		t.Fatal(err)
	}
	return &m.Context
}

func TestOf(t *testing.T) {
	none := &tcap.OID{}
	for _, tt := range []struct {
		name            string
		context         *tcap.OID
		calling, called byte
		want            Protocol
		contextName     string
	}{
		{"map", context(t, 4, 0, 0, 1, 0, 20, 3), 0, 0, MAP, "shortMsgGateway"},
		{"cap phase 2", context(t, 4, 0, 0, 1, 0, 50, 1), 7, 6, IN, "gsmSSF-to-gsmSCF"},
		{"cap phase 3", context(t, 4, 0, 0, 1, 21, 3, 4), 7, 6, IN, "capssf-scfGeneric"},
		{"inap", context(t, 4, 0, 1, 1, 1, 0, 0), 7, 6, IN, ""},
		{"of somebody else", context(t, 0x2a, 3, 4), 7, 6, Unknown, ""},
		{"hlr", none, 7, 6, MAP, ""},
		{"called side unknown", none, 8, 200, MAP, ""},
		{"cap", none, 146, 146, IN, ""},
		{"nothing known", none, 200, 201, Unknown, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Of(tt.context, tt.calling, tt.called); got != tt.want || Context(tt.context) != tt.contextName {
				t.Errorf("got %d, %q", got, Context(tt.context))
			}
		})
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{MAP.Operation(45, tcap.Local), "sendRoutingInfoForSM"},
		{IN.Operation(0, tcap.Local), "initialDP"},
		{Unknown.Operation(45, tcap.Local), ""},
		{Unknown.Operation(9<<8|13, tcap.Private), "registrationNotification"},
		{Unknown.Operation(9<<8|13, tcap.National), ""},
		{MAP.Operation(-1, tcap.Local), ""},
		{MAP.Operation(1000, tcap.Local), ""},
		{MAP.Error(27, tcap.Local), "absentSubscriber"},
		{IN.Error(12, tcap.Local), "taskRefused"},
		{Unknown.Error(0x85, tcap.Private), "resourceShortage"},
		{Unknown.Error(27, tcap.Local), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// TestLikeTshark compares with the names that tshark has for the same codes.
func TestLikeTshark(t *testing.T) {
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skipf("no oracle: %v", err)
	}
	out, err := exec.Command(program, "-G", "values").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	// tshark has one field for both codes of MAP: what is not the one is the other.
	tables := map[string][]func(int32) string{
		"gsm_old.localValue":     {named(MAP.Operation), named(MAP.Error)},
		"camel.local":            {named(IN.Operation)},
		"camel.error_code_local": {named(IN.Error)},
	}
	compared := 0
	for row := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(row), "\t")
		if len(f) != 4 || f[0] != "V" || tables[f[1]] == nil || f[3] == "unAllocated" {
			continue
		}
		code, err := strconv.Atoi(f[2])
		if err != nil {
			t.Fatal(err)
		}
		compared++
		found := false
		for _, name := range tables[f[1]] {
			found = found || name(int32(code)) == f[3]
		}
		if !found {
			t.Errorf("%s %d is %q there, not here", f[1], code, f[3])
		}
	}
	if compared < 200 {
		t.Errorf("only %d names to compare", compared)
	}
}

func named(name func(int32, tcap.CodeKind) string) func(int32) string {
	return func(code int32) string { return name(code, tcap.Local) }
}
