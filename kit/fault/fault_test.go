package fault_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

func TestEachKindHasItsStatusAndExitCode(t *testing.T) {
	for kind, want := range map[fault.Kind][2]int{
		fault.NotFound:    {http.StatusNotFound, 4},
		fault.Invalid:     {http.StatusUnprocessableEntity, 2},
		fault.Conflict:    {http.StatusConflict, 5},
		fault.Denied:      {http.StatusForbidden, 3},
		fault.Limited:     {http.StatusTooManyRequests, 6},
		fault.Unavailable: {http.StatusServiceUnavailable, 6},
		"":                {http.StatusInternalServerError, 1},
	} {
		if got := [2]int{kind.HTTPStatus(), kind.ExitCode()}; got != want {
			t.Errorf("%q: %v, want %v", kind, got, want)
		}
	}
}

func bad(line int) *fault.Error {
	return fault.New(fault.Invalid, "slo.objective_range", text.Say("the objective is %v", "目標が%vです", 1)).
		Fix(text.Say("choose less than 1", "1より小さくしてください")).
		At(fault.Position{File: "slo.yaml", Line: line, Column: 7})
}

func TestFaultIsReadWithItsPlaceFirstAndItsRemedyLast(t *testing.T) {
	for lang, want := range map[text.Lang]string{
		text.EN: "slo.yaml:3:7: the objective is 1 — choose less than 1",
		text.JA: "slo.yaml:3:7: 目標が1です — 1より小さくしてください",
	} {
		if got := bad(3).In(lang); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
}

func TestInternalCauseIsForTheLogAlone(t *testing.T) {
	f := bad(3).Wrap(io.ErrUnexpectedEOF).On("target").After(time.Second)
	if !errors.Is(f, io.ErrUnexpectedEOF) || f.Error() == f.In(text.EN) || f.In(text.EN) != bad(3).In(text.EN) {
		t.Errorf("log %q, person %q", f.Error(), f.In(text.EN))
	}
	if f.Field != "target" || f.RetryAfter != time.Second {
		t.Errorf("%+v", f)
	}
}

func TestKindIsFoundThroughWrapping(t *testing.T) {
	err := fmt.Errorf("apply: %w", bad(3))
	if fault.KindOf(err) != fault.Invalid || fault.KindOf(io.EOF) != "" || fault.KindOf(nil) != "" {
		t.Fatal(fault.KindOf(err))
	}
}

func TestJoinKeepsOneAndListsSeveral(t *testing.T) {
	if err := fault.Join(nil); err != nil {
		t.Fatal(err)
	}
	one := bad(3)
	if err := fault.Join([]*fault.Error{one}); !errors.Is(err, error(one)) {
		t.Fatal(err)
	}
	f, ok := fault.As(fault.Join([]*fault.Error{one, bad(9)}))
	want := "2 problems found\nslo.yaml:3:7: the objective is 1 — choose less than 1\nslo.yaml:9:7: the objective is 1 — choose less than 1"
	if !ok || f.Kind != fault.Invalid || f.In(text.EN) != want {
		t.Fatal(f)
	}
}

func TestPositionIsWrittenAsCompilersDo(t *testing.T) {
	for want, p := range map[string]fault.Position{
		"":        {},
		"a.yaml":  {File: "a.yaml"},
		"a:3":     {File: "a", Line: 3},
		"a:3:7":   {File: "a", Line: 3, Column: 7},
		"3:7":     {Line: 3, Column: 7},
		"b.yaml:": {File: "b.yaml:", Column: 4}, // a column without a line says nothing
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
}
