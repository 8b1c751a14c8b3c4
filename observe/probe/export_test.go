package probe

import "context"

// TellSilent is what runs each minute.
func (s *Service) TellSilent(ctx context.Context) error { return s.tellSilent(ctx) }
