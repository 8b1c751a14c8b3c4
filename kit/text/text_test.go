package text_test

import (
	"context"
	"testing"

	"github.com/teiten/teiten/kit/text"
)

func TestSayFormatsBothLanguages(t *testing.T) {
	what := text.Say("disk", "ディスク")
	got := text.Say("the %s is %d %% full", "%[2]d %% 使用中の%[1]s", what, 93)
	if got.EN != "the disk is 93 % full" || got.JA != "93 % 使用中のディスク" {
		t.Fatalf("%+v", got)
	}
	if plain := text.Say("100%", "100%"); plain.In(text.EN) != "100%" || plain.In(text.JA) != "100%" {
		t.Fatalf("without arguments nothing is formatted: %+v", plain)
	}
}

func TestMissingJapaneseFallsBackToEnglish(t *testing.T) {
	if got := (text.Both{EN: "only"}).In(text.JA); got != "only" {
		t.Fatal(got)
	}
}

func TestMatchFollowsTheReadersPreference(t *testing.T) {
	for header, want := range map[string]text.Lang{
		"":                                  text.EN,
		"ja":                                text.JA,
		"ja-JP,ja;q=0.9,en;q=0.8":           text.JA,
		"en-US,en;q=0.9,ja;q=0.8":           text.EN,
		"fr,de;q=0.9,ja;q=0.1":              text.JA,
		"fr":                                text.EN,
		"ja;q=0,en;q=0.1":                   text.EN,
		"en;q=0.2, ja;q=0.3":                text.JA,
		"ja;q=nonsense,en;q=0.5":            text.EN,
		",,;q=1,ja;q=2,*;q=0.5,en-GB;q=0.1": text.EN,
	} {
		if got := text.Match(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestParseReadsLocales(t *testing.T) {
	for in, want := range map[string]text.Lang{"ja_JP.UTF-8": text.JA, "JA": text.JA, "en_US.UTF-8": text.EN, "en": text.EN} {
		if got, ok := text.Parse(in); !ok || got != want {
			t.Errorf("%q: %s %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "C", "C.UTF-8", "POSIX", "fr_FR", "jazz", "english"} {
		if got, ok := text.Parse(in); ok {
			t.Errorf("%q was read as %s", in, got)
		}
	}
}

func TestLanguageTravelsInTheContext(t *testing.T) {
	ctx := context.Background()
	if text.LangFrom(ctx) != text.EN || text.LangFrom(text.WithLang(ctx, text.JA)) != text.JA {
		t.Fatal("lost")
	}
}
