package slo

import (
	"context"
	"database/sql"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// Bring installs an objective that a document of another room brings along, such
// as that of a probe. From says where that document is written.
func (s *Service) Bring(ctx context.Context, tx *sql.Tx, o *openslo.SLO, from ascode.Source) error {
	return s.putSLO(ctx, tx, brought(o.Metadata.Name, o, from))
}

// TakeBack removes an objective that was brought along.
func (s *Service) TakeBack(ctx context.Context, tx *sql.Tx, name string) error {
	return s.dropSLO(ctx, tx, brought(name, &openslo.SLO{}, ascode.Source{}))
}

func brought(name string, o *openslo.SLO, from ascode.Source) *ascode.Document {
	return &ascode.Document{
		APIVersion: openslo.APIVersion, Kind: kindSLO, Namespace: ascode.DefaultNamespace, Name: name, Object: o, Source: from,
	}
}
