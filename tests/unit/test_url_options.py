"""Options of database URLs: those that are known and safe, and what they say of encryption."""

from __future__ import annotations

import ssl

import pytest

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.mysql_options import mysql_options
from cleanupctl.core.urls import parse_url, without_secrets

LOGIN = {"postgresql": "postgresql://me@db/jobs?", "mysql": "mysql://me@db/jobs?"}


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("mysql", "read_default_file=/etc/shadow"),
        ("mysql", "read_default_group=client"),
        ("mysql", "local_infile=1"),
        ("postgresql", "service=production"),
        ("postgresql", "passfile=/root/.pgpass"),
    ],
)
def test_options_that_read_files_are_refused(kind: str, option: str) -> None:
    with pytest.raises(InvalidValueError, match="makes the driver read files"):
        parse_url(LOGIN[kind] + option)


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("mysql", "sslca=/ca.pem"),
        ("mysql", "init_command=DROP+DATABASE+x"),
        ("mysql", "charset=gbk"),
        ("mysql", "connect_timeout=soon"),
        ("mysql", "ssl_verify_cert=maybe"),
        ("mysql", "sslmode=verify"),
        ("postgresql", "sslmode=ful"),
        ("postgresql", "connect_timeout=soon"),
        ("postgresql", "port=99999"),
        ("postgresql", "dbname=other"),
    ],
)
def test_what_means_nothing_is_named_and_its_value_is_not_told(kind: str, option: str) -> None:
    name, _, value = option.partition("=")
    with pytest.raises(InvalidValueError, match=name) as caught:
        parse_url(LOGIN[kind] + option)
    assert value not in caught.value.message.replace(name, "").partition("known are")[0]


def test_no_password_of_a_driver_is_shown() -> None:
    shown = [
        str(parse_url("postgresql://me:one@db/x?password=two&sslpassword=three&sslmode=require")),
        str(parse_url("mysql://me:one@db/x?ssl_key_password=two&unix_socket=/s")),
    ]
    assert shown == [
        "postgresql://me:***@db/x?password=***&sslpassword=***&sslmode=require",
        "mysql://me:***@db/x?ssl_key_password=***&unix_socket=/s",
    ]


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("${URL}", {"URL": "postgresql://u:geheim@h/d"}),
        ("${URL}.db", {"URL": "u:geheim@h/d"}),
        ("${URL}://h/d", {"URL": "geheim"}),
        ("u:geheim@h/d", {}),
        ("postgres//u:geheim@h/d", {}),
        ("oracle://u:geheim@h/d", {}),
        ("mysql://u:geheim@h:port/d", {}),
        ("mysql://u:geheim@h", {}),
        ("mysql://u:geheim@h/d%00", {}),
        ("mysql://u:geheim#@h/d", {}),
        ("mysql://u:p@h/d?sslmode=geheim", {}),
    ],
)
def test_an_error_does_not_repeat_what_a_url_says(text: str, variables: dict[str, str]) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_url(text, variables)
    assert "geheim" not in caught.value.message


@pytest.mark.parametrize("password", ["1", "a", "null", "camunda", "postgres", '"', ":", "2026"])
def test_a_password_that_is_a_word_is_masked_in_its_place_and_nowhere_else(password: str) -> None:
    text = f'camunda of postgres: 2026 rows, "a" is null:1; cannot reach mysql://a:{password}@h:1/camunda'
    said = without_secrets(text, [password])
    assert said == text.replace(f":{password}@", ":***@")


def test_a_password_that_is_no_word_is_masked_wherever_a_driver_says_it() -> None:
    said = without_secrets("login x9-Kw!aa42 failed; password='x y' user=u", ["x9-Kw!aa42"])
    assert said == "login *** failed; password=*** user=u"


@pytest.mark.parametrize(
    ("options", "verify", "name"),
    [
        ("sslmode=require", ssl.CERT_NONE, False),
        ("sslmode=verify-ca", ssl.CERT_REQUIRED, False),
        ("sslmode=verify-full", ssl.CERT_REQUIRED, True),
        ("ssl_verify_cert=true", ssl.CERT_REQUIRED, False),
        ("ssl_verify_identity=true", ssl.CERT_REQUIRED, True),
    ],
)
def test_one_option_says_how_a_mysql_server_has_to_prove_itself(
    options: str, verify: ssl.VerifyMode, name: bool
) -> None:
    context = mysql_options(parse_url(f"mysql://db/x?{options}"))["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (verify, name)


def test_mysql_is_encrypted_where_the_server_offers_it_unless_that_is_forbidden() -> None:
    assert mysql_options(parse_url("mysql://db/x")) == {}
    assert mysql_options(parse_url("mysql://db/x?sslmode=prefer")) == {}
    assert mysql_options(parse_url("mysql://db/x?sslmode=disable")) == {"ssl_disabled": True}


def test_a_certificate_that_cannot_be_read_is_named() -> None:
    with pytest.raises(InvalidValueError, match=r"ssl_ca /nowhere/ca\.pem cannot be used: no such file"):
        mysql_options(parse_url("mysql://db/x?ssl_ca=/nowhere/ca.pem"))
