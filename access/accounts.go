package access

import (
	"context"
	"fmt"
	"strings"

	"github.com/teiten/teiten/kit/fault"
)

// Accounts returns who has an account under some addresses, by address and
// whatever their state. It is for other rooms, which decide what callers may see
// of it.
func (s *Service) Accounts(ctx context.Context, addresses []string) (map[string]User, error) {
	found := map[string]User{}
	for _, address := range addresses {
		address = strings.ToLower(address)
		if _, known := found[address]; known || address == "" {
			continue
		}
		u, err := getUserByLogin(ctx, s.read(), address)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find the account of an address: %w", err)
		}
		found[address] = u
	}
	return found, nil
}

// Address is the address of an account, and "" where there is none.
func (s *Service) Address(ctx context.Context, userID string) (string, error) {
	u, err := getUser(ctx, s.read(), userID)
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	return u.Login, err
}
