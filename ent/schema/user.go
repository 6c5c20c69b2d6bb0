package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// User is somebody who can sign in.
type User struct{ ent.Schema }

// Mixin of the User.
func (User) Mixin() []ent.Mixin { return []ent.Mixin{Base{}, Versioned{}} }

// Annotations of the User.
func (User) Annotations() []schema.Annotation {
	return filtered("Somebody who can sign in: a patient or a member of staff.")
}

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("email").MaxLen(254).Comment("E-mail address as it was given; sign-in ignores case."),
		field.String("email_key").Unique().MaxLen(254).Comment("Folded address: what makes e-mails unique.").Annotations(entgql.Skip(entgql.SkipAll)),
		secret("password_hash", "Argon2id hash of the password."),
		field.String("given_name").MaxLen(100).Comment("Given name."),
		field.String("family_name").MaxLen(100).Comment("Family name.").Annotations(entgql.OrderField("FAMILY_NAME")),
		field.String("phone").MaxLen(20).Optional().Comment("Telephone number in E.164 form, if known.").Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.Strings("roles").Comment("Roles of the user; rights add up.").Annotations(entgql.Type("[Role!]"), entgql.Skip(entgql.SkipWhereInput)),
		field.Bool("is_active").Default(true).Comment("False when an administrator has deactivated the account."),
		field.Bool("has_totp").Default(false).Comment("True when signing in needs a one-time code beside the password.").
			Annotations(entgql.MapsTo("hasTotp"), entgql.Skip(entgql.SkipWhereInput)),
		at("email_verified_at", "When the owner of the address proved to be the user; null until then.").Optional().NoFilter().Field(),
		at("deactivated_at", "When the account was deactivated; null while it is active.").Optional().NoFilter().Field(),
	}
}

// Indexes of the User.
func (User) Indexes() []ent.Index {
	return []ent.Index{index.Fields("created_at")} // the order of lists
}
