package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing"
)

var _ routing.History = (*Service)(nil)

// Past calls use with alerts that fired since, the latest first and at most so
// many: by them a change of routes and a silence are judged before they hold.
func (s *Service) Past(ctx context.Context, since time.Time, most int, use func(routing.Past) error) error {
	const query = `SELECT id, title, severity, service, team, labels, fired_at, state FROM alert_alerts WHERE fired_at >= $1 ORDER BY fired_at DESC, id DESC LIMIT $2`
	err := database.Each(ctx, s.DB.Read(), query, []any{database.Micros(since), most}, func(rows *sql.Rows) error {
		p := routing.Past{Alert: route.Alert{}}
		var labels, state string
		var fired int64
		if err := rows.Scan(&p.ID, &p.Title, &p.Severity, &p.Service, &p.Team, &labels, &fired, &state); err != nil {
			return err
		}
		p.FiredAt, p.Open = database.Time(fired), State(state) != Resolved
		return errors.Join(database.ReadJSON(labels, &p.Labels), use(p))
	})
	if err != nil {
		return database.Fault(fmt.Errorf("read past alerts: %w", err))
	}
	return nil
}
