package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
)

const (
	pointDocument = `query($id: ID!) { appointment(id: $id) { id status startsAt patient { givenName } practitioner { name } } }`
	listDocument  = `{ appointments(first: 20) { edges { node { id status startsAt patient { id givenName familyName } ` +
		`practitioner { id name specialty } orders(first: 1) { edges { node { id status amount { amount currency } } } } } } ` +
		`pageInfo { hasNextPage endCursor } } }`
)

// operation is asked of both servers, request by request the same.
type operation struct {
	name           string
	product, floor []request
}

// prepare signs the administrator in, finds the appointments of the first page, and makes the requests.
func prepare(ctx context.Context, a *api, floorURL string) ([]operation, error) {
	token, session, err := a.login(ctx, "ada")
	if err != nil {
		return nil, err
	}
	var page struct{ Appointments connection }
	if err := a.call(ctx, token, listDocument, nil, &page); err != nil {
		return nil, err
	}
	if err := complete(page.Appointments); err != nil {
		return nil, err
	}
	point, list := operation{name: "point"}, operation{name: "list"}
	for _, e := range page.Appointments.Edges {
		err = errors.Join(
			add(&point.product, http.MethodPost, a.url+"/graphql", token, requestBody(pointDocument, map[string]any{"id": e.Node.ID})),
			add(&point.floor, http.MethodGet, floorURL+"/appointments/"+url.PathEscape(e.Node.ID), session, nil),
			err)
	}
	err = errors.Join(err,
		add(&list.product, http.MethodPost, a.url+"/graphql", token, requestBody(listDocument, nil)),
		add(&list.floor, http.MethodGet, floorURL+"/appointments?first=20", session, nil))
	return []operation{point, list}, err
}

func add(to *[]request, method, url, token string, body []byte) error {
	r, err := newRequest(method, url, token, body)
	*to = append(*to, r)
	return err
}

// complete checks that the page is what is to be measured.
func complete(c connection) error {
	if len(c.Edges) != pageSize || !c.PageInfo.HasNextPage || c.PageInfo.EndCursor == "" {
		return fmt.Errorf("the list has %d appointments (next page: %t) where %d and a next page were made", len(c.Edges), c.PageInfo.HasNextPage, pageSize)
	}
	for _, e := range c.Edges {
		a := e.Node
		if a.Patient.FamilyName == "" || a.Practitioner.Name == "" || a.Orders == nil || len(a.Orders.Edges) != 1 {
			return fmt.Errorf("appointment %s is listed without its patient, practitioner or order", a.ID)
		}
	}
	return nil
}

// check compares the answers that the load will hold the servers to: both must say the same, except for the cursor, which each makes its own.
func (o operation) check() error {
	for i := range o.product {
		product, err := answerOf(o.product[i].want)
		if err != nil {
			return err
		}
		floor, err := answerOf(o.floor[i].want)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(product, floor) {
			return fmt.Errorf("the servers answer differently:\nproduct %.600s\nfloor   %.600s", o.product[i].want, o.floor[i].want)
		}
	}
	return nil
}

// answerOf reads the data of an answer and blanks the cursor.
func answerOf(body []byte) (any, error) {
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("an answer is not JSON: %w: %.300s", err, body)
	}
	if answer["errors"] != nil || answer["data"] == nil {
		return nil, fmt.Errorf("an answer has errors or no data: %.300s", body)
	}
	data, _ := answer["data"].(map[string]any)
	if list, ok := data["appointments"].(map[string]any); ok {
		if page, ok := list["pageInfo"].(map[string]any); ok && page["endCursor"] != "" {
			page["endCursor"] = "a cursor"
		}
	}
	return data, nil
}
