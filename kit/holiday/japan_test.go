package holiday

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The days that the Cabinet Office lists (https://www8.cao.go.jp/chosei/shukujitsu/),
// for years in which the rules changed or collided.
var listed = map[int]string{
	2000: "0101 0110 0211 0320 0429 0503 0504 0505 0720 0915 0923 1009 1103 1123 1223",
	2003: "0101 0113 0211 0321 0429 0503 0505 0721 0915 0923 1013 1103 1123 1124 1223",
	2005: "0101 0110 0211 0320 0321 0429 0503 0504 0505 0718 0919 0923 1010 1103 1123 1223",
	2006: "0101 0102 0109 0211 0321 0429 0503 0504 0505 0717 0918 0923 1009 1103 1123 1223",
	2008: "0101 0114 0211 0320 0429 0503 0504 0505 0506 0721 0915 0923 1013 1103 1123 1124 1223",
	2009: "0101 0112 0211 0320 0429 0503 0504 0505 0506 0720 0921 0922 0923 1012 1103 1123 1223",
	2015: "0101 0112 0211 0321 0429 0503 0504 0505 0506 0720 0921 0922 0923 1012 1103 1123 1223",
	2016: "0101 0111 0211 0320 0321 0429 0503 0504 0505 0718 0811 0919 0922 1010 1103 1123 1223",
	2018: "0101 0108 0211 0212 0321 0429 0430 0503 0504 0505 0716 0811 0917 0923 0924 1008 1103 1123 1223 1224",
	2019: "0101 0114 0211 0321 0429 0430 0501 0502 0503 0504 0505 0506 0715 0811 0812 0916 0923 1014 1022 1103 1104 1123",
	2020: "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0723 0724 0810 0921 0922 1103 1123",
	2021: "0101 0111 0211 0223 0320 0429 0503 0504 0505 0722 0723 0808 0809 0920 0923 1103 1123",
	2024: "0101 0108 0211 0212 0223 0320 0429 0503 0504 0505 0506 0715 0811 0812 0916 0922 0923 1014 1103 1104 1123",
	2025: "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0721 0811 0915 0923 1013 1103 1123 1124",
	2026: "0101 0112 0211 0223 0320 0429 0503 0504 0505 0506 0720 0811 0921 0922 0923 1012 1103 1123",
}

func TestTheYearsThatTheCabinetOfficeLists(t *testing.T) {
	for year, want := range listed {
		var got []string
		for d := (Day{year, time.January, 1}); d.Year == year; d = d.plus(1) {
			if _, ok := Japan(d); ok {
				got = append(got, d.utc().Format("0102"))
			}
		}
		if words := strings.Fields(want); !slices.Equal(got, words) {
			t.Errorf("%d:\n got %v\nwant %v", year, got, words)
		}
	}
}

func TestHolidaysHaveTheirNames(t *testing.T) {
	for d, want := range map[Day]string{
		{2026, time.September, 22}: "国民の休日",
		{2026, time.May, 6}:        "振替休日",
		{2026, time.November, 23}:  "勤労感謝の日",
		{2019, time.October, 22}:   "即位礼正殿の儀",
	} {
		if name, ok := Japan(d); !ok || name.JA != want || name.EN == "" {
			t.Errorf("%v is %q, want %q", d, name.JA, want)
		}
	}
	for _, d := range []Day{{2026, time.November, 24}, {1999, time.January, 1}, {2100, time.January, 1}} {
		if name, ok := Japan(d); ok {
			t.Errorf("%v is a holiday: %q", d, name.JA)
		}
	}
}
