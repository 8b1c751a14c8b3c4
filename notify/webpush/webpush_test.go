package webpush

import (
	"bytes"
	"crypto/ecdh"
	"testing"
)

// The example of RFC 8291, section 5 and appendix A: its keys, its salt and its
// text give its message, byte for byte.
func TestMessageOfTheSpecification(t *testing.T) {
	private, err := decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := ecdh.P256().NewPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	salt, err := decode("DGv6ra1nlYgDCS1FRnbzlw")
	if err != nil {
		t.Fatal(err)
	}
	got, err := sealWith(ours, salt, "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
		"BTBZMqHH6r4Tts7J_aSIgg", []byte("When I grow up, I want to be a watermelon"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := decode("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s, %v", encode(got), err)
	}
}

func TestBrokenSubscriptionIsRefused(t *testing.T) {
	for _, s := range [][3]string{{"x", "y", "z"}, {"https://push.example/1", "AAAA", "BTBZMqHH6r4Tts7J_aSIgg"},
		{"https://push.example/1", "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "short"}} {
		if Check(s[0], s[1], s[2]) == nil {
			t.Errorf("%v is accepted", s)
		}
	}
}
