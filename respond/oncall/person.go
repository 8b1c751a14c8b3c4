package oncall

import (
	"context"
	"fmt"
	"strings"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
)

// Person is somebody who can be on call: a person of the catalog, somebody with
// an account, or both, held together by their address.
type Person struct {
	ID     string `json:"id" doc:"The name in the catalog, or the address of an account."`
	Name   string `json:"name" doc:"What people call them."`
	UserID string `json:"userId,omitempty" doc:"Their account, where they have one."`
	Left   bool   `json:"left,omitempty" doc:"They are neither in the catalog nor have an account that may sign in."`

	Email string `json:"-"`
}

// personName is the name under which a person is kept, however it was written:
// Sato, user:sato and user:default/sato are sato.
func personName(s string) string {
	s = strings.TrimSpace(s)
	if strings.Contains(s, "@") {
		return strings.ToLower(strings.TrimPrefix(s, "user:"))
	}
	if r, err := catalog.ParseRef(s, catalog.KindUser, catalog.DefaultNamespace); err == nil {
		return r.Short()
	}
	return strings.ToLower(s)
}

// Accounts is what the room asks of those who may sign in.
type Accounts interface {
	// Accounts returns the accounts of addresses, those that are disabled
	// included, by address.
	Accounts(ctx context.Context, addresses []string) (map[string]access.User, error)
	// Address is the address of an account, and "" where there is none.
	Address(ctx context.Context, userID string) (string, error)
}

// People finds persons by the names under which they are kept. Whoever is not
// there any more is there all the same, as one who left.
func (s *Service) People(ctx context.Context, q Reader, names []string) (map[string]Person, error) {
	known, err := s.catalog.People(ctx, q, names)
	if err != nil {
		return nil, err
	}
	found := map[string]Person{}
	var addresses []string
	for _, name := range names {
		p := Person{ID: name, Name: name, Left: true}
		if e, ok := known[name]; ok {
			p.Name, p.Email, p.Left = e.DisplayName(), strings.ToLower(e.Email), false
		} else if strings.Contains(name, "@") {
			p.Email = name
		}
		if p.Email != "" {
			addresses = append(addresses, p.Email)
		}
		found[name] = p
	}
	accounts, err := s.accounts.Accounts(ctx, addresses)
	if err != nil {
		return nil, fmt.Errorf("find accounts: %w", err)
	}
	for name, p := range found {
		a, ok := accounts[p.Email]
		switch {
		case !ok:
		case a.State == access.Disabled:
			p.Left = true
		default:
			p.UserID, p.Left = a.ID, false
			if p.Name == name {
				p.Name = a.Name
			}
		}
		found[name] = p
	}
	return found, nil
}

// Caller is the name under which the caller is kept among people, and "" where
// they are nobody who could be on call.
func (s *Service) Caller(ctx context.Context, q Reader) (string, error) {
	p, ok := access.From(ctx)
	if !ok || p.UserID == "" {
		return "", nil
	}
	address, err := s.accounts.Address(ctx, p.UserID)
	if err != nil || address == "" {
		return "", err
	}
	name, err := s.catalog.PersonOf(ctx, q, address)
	if err != nil || name != "" {
		return name, err
	}
	return address, nil
}
