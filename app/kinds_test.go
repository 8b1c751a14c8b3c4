package app

import "testing"

// TestEveryFieldOfEveryKindIsDescribedInBothLanguages keeps the reference whole.
func TestEveryFieldOfEveryKindIsDescribedInBothLanguages(t *testing.T) {
	err := Offline(t.Context(), func(a *App) error {
		seen := 0
		for _, k := range a.AsCode.Registry().Kinds() {
			fields, err := a.AsCode.Registry().Fields(k.ID)
			if err != nil {
				return err
			}
			for _, f := range fields {
				seen++
				if f.Doc.EN == "" || f.Doc.JA == "" {
					t.Errorf("%s: %s is described as %+v", k.Kind, f.Path, f.Doc)
				}
			}
		}
		if seen < 200 {
			t.Errorf("only %d fields were looked at", seen)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
