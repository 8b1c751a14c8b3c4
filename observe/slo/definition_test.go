package slo

import "testing"

func TestTheMostUrgentStateWins(t *testing.T) {
	quiet := condition{left: 0.9, events: true, recent: true}
	with := func(f func(*condition)) condition { c := quiet; f(&c); return c }
	for want, c := range map[Status]condition{
		Healthy:     quiet,
		Backfilling: with(func(c *condition) { c.backfilling = true }),
		Unknown:     with(func(c *condition) { c.recent, c.backfilling = false, true }),
		Attention:   with(func(c *condition) { c.left = 0.1 }),
		Exhausted:   with(func(c *condition) { c.left, c.ticket = 0, true }),
		Burning:     with(func(c *condition) { c.left, c.page = -1, true }),
	} {
		got, why := c.state(), c.why()
		if got != want || why.EN == "" || why.JA == "" {
			t.Errorf("%+v: %s (%s), want %s", c, got, why, want)
		}
	}
}
