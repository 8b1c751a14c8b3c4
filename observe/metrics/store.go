package metrics

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/metrics/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of data sources.
var Migrations = func() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}()

// declared is a source as it is stored.
type declared struct {
	name, title string
	isDefault   bool
	settings    string // JSON, as it was stored: equal text means an unchanged source
}

func putSource(ctx context.Context, tx *sql.Tx, name, title string, isDefault bool, s Settings, now time.Time) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write the settings of data source %s: %w", name, err)
	}
	err = db.New(tx).PutSource(ctx, db.PutSourceParams{
		Name: name, Title: title, IsDefault: isDefault, Settings: string(body), UpdatedAt: database.Micros(now),
	})
	if err != nil {
		return fmt.Errorf("store data source %s: %w", name, err)
	}
	return nil
}

func dropSource(ctx context.Context, tx *sql.Tx, name string) error {
	if err := db.New(tx).DropSource(ctx, name); err != nil {
		return fmt.Errorf("remove data source %s: %w", name, err)
	}
	return nil
}

func listSources(ctx context.Context, q db.DBTX) ([]declared, error) {
	rows, err := db.New(q).ListSources(ctx)
	if err != nil {
		return nil, fmt.Errorf("list data sources: %w", database.Fault(err))
	}
	out := make([]declared, 0, len(rows))
	for _, r := range rows {
		out = append(out, declared{name: r.Name, title: r.Title, isDefault: r.IsDefault, settings: r.Settings})
	}
	return out, nil
}
