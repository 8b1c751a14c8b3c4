package app

import (
	"testing"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
)

func TestOwnerIsOneTeamHoweverItIsWritten(t *testing.T) {
	for _, owner := range []string{"payments", "team:payments", "group:default/payments"} {
		if got := teamRef(owner); got != "team:payments" {
			t.Errorf("%s became %s", owner, got)
		}
	}
	if got := teamRef("group:shop/payments"); got != "team:shop/payments" {
		t.Error(got)
	}
}

func TestChangeIsFoundUnderTheTeamThatOwnsIt(t *testing.T) {
	const file = `
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: payments}
`
	err := Offline(t.Context(), func(a *App) error {
		_, err := a.AsCode.Apply(access.AsSystem(t.Context()), ascode.Request{Files: []ascode.File{{Name: "shop.yaml", Data: file}}})
		if err != nil {
			return err
		}
		entries, _, err := a.Journal.List(t.Context(), journal.Filter{Subject: "team:payments", Query: "checkout"})
		if err == nil && (len(entries) != 1 || entries[0].Subject != "service:checkout") {
			t.Errorf("%+v", entries)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
