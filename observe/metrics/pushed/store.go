package pushed

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/metrics/pushed/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of pushed events.
var Migrations = func() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}()

// kept is a stream as it is stored.
type kept struct {
	id          string
	name        string
	labels      map[string]string
	every       time.Duration
	first, last int64
	pushedAt    time.Time
}

// streams lists those of a name, and all of them for "".
func streams(ctx context.Context, q db.DBTX, name string) ([]kept, error) {
	var rows []db.PushedStream
	var err error
	if name == "" {
		rows, err = db.New(q).ListStreams(ctx)
	} else {
		rows, err = db.New(q).ListStreamsOf(ctx, name)
	}
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list streams of events: %w", err))
	}
	out := make([]kept, 0, len(rows))
	for _, r := range rows {
		k := kept{
			id: r.ID, name: r.Name, every: time.Duration(r.EverySeconds) * time.Second,
			first: r.FirstMinute, last: r.LastMinute, pushedAt: database.Time(r.PushedAt),
		}
		if err := json.Unmarshal([]byte(r.Labels), &k.labels); err != nil {
			return nil, fmt.Errorf("read the labels of stream %s: %w", r.Name, err)
		}
		out = append(out, k)
	}
	return out, nil
}

func putStream(ctx context.Context, tx *sql.Tx, s stream, id string, first, last int64, now time.Time) error {
	err := db.New(tx).PutStream(ctx, db.PutStreamParams{
		ID: id, Name: s.name, Labels: s.labels, EverySeconds: int64(s.every / time.Second),
		FirstMinute: first, LastMinute: last, PushedAt: database.Micros(now),
	})
	if err != nil {
		return fmt.Errorf("store stream %s: %w", s.name, err)
	}
	return nil
}
