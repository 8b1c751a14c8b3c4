package check

import (
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Duration is a time span, written as 500ms, 10s or 1m30s.
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fault.New(fault.Invalid, "probe.duration", text.Say("%q is not a duration", "%q は時間の長さとして読めません", string(b))).
			Fix(text.Say("write it like 500ms, 10s or 1m", "500ms、10s、1m のように書いてください"))
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// IsZero reports whether the duration is absent.
func (d Duration) IsZero() bool { return d == 0 }
