package slo

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoRingsIsHeardAtOnceAndForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBell()
		took := func() time.Duration {
			began := time.Now()
			b.wait(t.Context(), time.Second)
			return time.Since(began)
		}
		if d := took(); d != time.Second {
			t.Errorf("nobody rang, and the wait took %v", d)
		}
		time.AfterFunc(100*time.Millisecond, b.ring)
		if d := took(); d != 100*time.Millisecond {
			t.Errorf("rung for after 100ms, woken after %v", d)
		}
		for began := time.Now(); time.Since(began) < hurried; {
			if d := took(); d != hurry {
				t.Fatalf("just after it was rung the wait took %v", d)
			}
		}
		if d := took(); d != time.Second {
			t.Errorf("long after it was rung the wait took %v", d)
		}
	})
}
