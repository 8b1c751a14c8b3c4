package rota

import (
	"slices"
	"time"
)

// Change is what an override does.
type Change string

// The changes that an override can make.
const (
	Add     Change = "add"     // somebody is on call in addition
	Remove  Change = "remove"  // somebody is not on call
	Replace Change = "replace" // somebody is on call instead of somebody, or of everybody
)

// Override changes who is on call for a time. User comes; Instead goes, and is
// empty where everybody does. Ended is when it was taken back: what had been so
// until then stays so.
type Override struct {
	ID       string
	Role     Role
	Change   Change
	User     string
	Instead  string
	From, To time.Time
	Ended    time.Time
}

// until is when the override ends.
func (o Override) until() time.Time {
	if !o.Ended.IsZero() {
		return earlier(o.To, o.Ended)
	}
	return o.To
}

// apply changes shifts that tile a time; so do those that it returns.
func (o Override) apply(role Role, shifts []Shift) []Shift {
	to := o.until()
	if o.Role != role || !o.From.Before(to) {
		return shifts
	}
	out := split(shifts, o.From, to)
	for i := range out {
		if s := &out[i]; !s.From.Before(o.From) && !s.To.After(to) {
			if users, changed := o.users(s.Users); changed {
				s.Users = users
				s.Source.Overrides = append(slices.Clip(s.Source.Overrides), o.ID)
			}
		}
	}
	return out
}

// users are who is on call under the override, and whether that differs.
func (o Override) users(before []string) (users []string, changed bool) {
	has := slices.Contains(before, o.User)
	switch o.Change {
	case Add:
		if has {
			return before, false
		}
		return append(slices.Clone(before), o.User), true
	case Remove:
		return without(before, o.User), has
	case Replace:
		if o.Instead == "" {
			return []string{o.User}, !slices.Equal(before, []string{o.User})
		}
		if !slices.Contains(before, o.Instead) {
			return before, false
		}
		users = without(before, o.Instead)
		if !has {
			users = append(users, o.User)
		}
		return users, true
	}
	return before, false
}

func without(users []string, user string) []string {
	return slices.DeleteFunc(slices.Clone(users), func(u string) bool { return u == user })
}
