package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
)

type field struct {
	name  string
	value any
}
type document []field
type array []document

// encode writes BSON (https://bsonspec.org/spec.html) of the types that are used here.
func (d document) encode() []byte {
	var body bytes.Buffer
	for _, f := range d {
		kind, value := byte(0), []byte(nil)
		switch v := f.value.(type) {
		case string:
			kind, value = 2, append(binary.LittleEndian.AppendUint32(nil, uint32(len(v)+1)), v+"\x00"...)
		case document:
			kind, value = 3, v.encode()
		case array:
			items := document{}
			for number, item := range v {
				items = append(items, field{strconv.Itoa(number), item})
			}
			kind, value = 4, items.encode()
		case []byte:
			kind, value = 5, append(binary.LittleEndian.AppendUint32(nil, uint32(len(v))), append([]byte{0}, v...)...)
		case bool:
			kind, value = 8, []byte{map[bool]byte{true: 1}[v]}
		case int32:
			kind, value = 16, binary.LittleEndian.AppendUint32(nil, uint32(v))
		}
		body.WriteByte(kind)
		body.WriteString(f.name + "\x00")
		body.Write(value)
	}
	size := binary.LittleEndian.AppendUint32(nil, uint32(body.Len()+5))
	return append(append(size, body.Bytes()...), 0)
}

type server struct{ net.Conn }

// command sends one OP_MSG and returns the reply's BSON; an error if the server did not say that it was done.
func (s server) command(database string, d document) ([]byte, error) {
	body := append([]byte{0, 0, 0, 0, 0}, append(d, field{"$db", database}).encode()...)
	head := make([]byte, 16)
	binary.LittleEndian.PutUint32(head, uint32(len(body)+16))
	binary.LittleEndian.PutUint32(head[12:], 2013)
	if _, err := s.Write(append(head, body...)); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(s, head); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.LittleEndian.Uint32(head)-16)
	if _, err := io.ReadFull(s, reply); err != nil {
		return nil, err
	}
	if !bytes.Contains(reply, []byte("\x01ok\x00\x00\x00\x00\x00\x00\x00\xf0\x3f")) || bytes.Contains(reply, []byte("writeErrors")) {
		return nil, fmt.Errorf("the server refuses: %q", reply)
	}
	return reply, nil
}

// connect logs in with SCRAM-SHA-256 (RFC 7677).
func connect(address *url.URL) (server, error) {
	connection, err := net.Dial("tcp", address.Host)
	if err != nil {
		return server{}, err
	}
	s := server{connection}
	nonce := make([]byte, 18)
	rand.Read(nonce)
	password, _ := address.User.Password()
	first := "n=" + address.User.Username() + ",r=" + base64.StdEncoding.EncodeToString(nonce)
	reply, err := s.command("admin", document{{"saslStart", int32(1)}, {"mechanism", "SCRAM-SHA-256"}, {"payload", []byte("n,," + first)}})
	if err != nil {
		return s, err
	}
	challenge := payload(reply)
	parts := map[string]string{}
	for _, part := range strings.Split(challenge, ",") {
		parts[part[:1]] = part[2:]
	}
	salt, _ := base64.StdEncoding.DecodeString(parts["s"])
	rounds, _ := strconv.Atoi(parts["i"])
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, 32)
	if err != nil {
		return s, err
	}
	key := sum(salted, "Client Key")
	stored := sha256.Sum256(key)
	last := "c=biws,r=" + parts["r"]
	for i, b := range sum(stored[:], first+","+challenge+","+last) {
		key[i] ^= b
	}
	proof := last + ",p=" + base64.StdEncoding.EncodeToString(key)
	for done := false; !done; proof = "" {
		reply, err = s.command("admin", document{{"saslContinue", int32(1)}, {"conversationId", int32(1)}, {"payload", []byte(proof)}})
		if err != nil {
			return s, err
		}
		done = bytes.Contains(reply, []byte("\x08done\x00\x01"))
	}
	return s, nil
}

func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func payload(reply []byte) string {
	_, rest, _ := bytes.Cut(reply, []byte("\x05payload\x00"))
	return string(rest[5 : 5+binary.LittleEndian.Uint32(rest)])
}
