package agreement

import (
	"testing"
	"time"
)

func TestTheLastWordOfEachStakeholderCounts(t *testing.T) {
	v := Version{Number: 2, Stakeholders: []string{"team:payments", "user:bea"}}
	said := func(version int64, who, word string) Word {
		return Word{Version: version, Stakeholder: who, Word: word}
	}
	for name, c := range map[string]struct {
		words []Word
		want  bool
	}{
		"nobody":                       {nil, false},
		"one of two":                   {[]Word{said(2, "user:bea", wordAgree)}, false},
		"both":                         {[]Word{said(2, "user:bea", wordAgree), said(2, "team:payments", wordAgree)}, true},
		"one declined later":           {[]Word{said(2, "user:bea", wordAgree), said(2, "team:payments", wordAgree), said(2, "user:bea", wordDecline)}, false},
		"one declined first":           {[]Word{said(2, "user:bea", wordDecline), said(2, "team:payments", wordAgree), said(2, "user:bea", wordAgree)}, true},
		"to another version":           {[]Word{said(1, "user:bea", wordAgree), said(2, "team:payments", wordAgree)}, false},
		"the rest was waived":          {[]Word{said(2, "user:bea", wordAgree), said(2, "", wordWaive)}, true},
		"a waiver of another version":  {[]Word{said(1, "", wordWaive)}, false},
		"waived against a stakeholder": {[]Word{said(2, "user:bea", wordDecline), said(2, "", wordWaive)}, true},
	} {
		if got := v.settled(c.words); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAVersionThatWasNeverInForceIsWithdrawn(t *testing.T) {
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for want, v := range map[string]Version{
		"proposed":   {},
		"in_force":   {InForceAt: at},
		"superseded": {InForceAt: at, SupersededAt: at},
		"withdrawn":  {SupersededAt: at},
	} {
		if got := v.State(); got != want {
			t.Errorf("%+v is %s, want %s", v, got, want)
		}
	}
}
