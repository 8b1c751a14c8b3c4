package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/respond/alert/db"
)

// knownFor is how long what other tables say is taken for granted.
const knownFor = 3 * time.Second

// known is what the processor has read of integrations and of the catalog. It is
// read again every few seconds, because other replicas change it too.
type known struct {
	mu           sync.Mutex
	integrations map[string]*integration
	readAt       time.Time
	services     map[string]*serviceInfo
}

// serviceInfo is what the catalog says of a service.
type serviceInfo struct {
	owner    string
	upstream []string
	at       time.Time
}

// forget has everything read anew.
func (k *known) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.integrations, k.services = nil, nil
}

// allIntegrations are those that have a document, by name.
func (s *Service) allIntegrations(ctx context.Context) (map[string]*integration, error) {
	k, now := &s.known, s.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if since := now.Sub(k.readAt); k.integrations != nil && since >= 0 && since < knownFor {
		return k.integrations, nil
	}
	rows, err := db.New(s.DB.Read()).ListIntegrations(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read integrations: %w", err))
	}
	all := make(map[string]*integration, len(rows))
	for i := range rows {
		var spec IntegrationSpec
		if err := database.ReadJSON(rows[i].Spec, &spec); err != nil {
			return nil, fmt.Errorf("read integration %s: %w", rows[i].Name, err)
		}
		n := newIntegration(rows[i].Name, spec)
		n.seenAt, n.updatedAt = rows[i].SeenAt, rows[i].UpdatedAt
		all[n.name] = n
	}
	k.integrations, k.readAt = all, now
	return all, nil
}

// service is what the catalog says of a service; nothing where it is not there.
func (s *Service) service(ctx context.Context, from catalog.Reader, name string) (*serviceInfo, error) {
	if name == "" || s.Catalog == nil {
		return &serviceInfo{}, nil
	}
	k, now := &s.known, s.Now()
	k.mu.Lock()
	info := k.services[name]
	k.mu.Unlock()
	if info != nil && now.Sub(info.at) < knownFor && !now.Before(info.at) {
		return info, nil
	}
	info = &serviceInfo{at: now}
	if err := s.climb(ctx, from, name, info); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.services == nil || len(k.services) > mostServices {
		k.services = map[string]*serviceInfo{}
	}
	k.services[name] = info
	return info, nil
}

const (
	mostServices = 10_000 // that are remembered
	mostUpstream = 200    // services that one depends on, however far away
)

// climb follows dependencies, the nearest first.
func (s *Service) climb(ctx context.Context, from catalog.Reader, name string, info *serviceInfo) error {
	for at, way := 0, []string{name}; at < len(way) && at < mostUpstream; at++ {
		e, err := s.Catalog.Find(ctx, from, way[at])
		if fault.KindOf(err) == fault.NotFound || fault.KindOf(err) == fault.Invalid || errors.Is(err, sql.ErrNoRows) {
			continue // somebody's label need not name a service
		}
		if err != nil {
			return err
		}
		if at == 0 {
			info.owner = e.Owner
		}
		for _, ref := range e.DependsOn {
			r, err := catalog.ParseRef(ref, catalog.KindComponent, catalog.DefaultNamespace)
			if short := r.Short(); err == nil && !slices.Contains(way, short) {
				way = append(way, short)
				info.upstream = append(info.upstream, short)
			}
		}
	}
	return nil
}
