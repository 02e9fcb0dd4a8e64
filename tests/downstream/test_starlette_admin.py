"""An admin interface by starlette-admin over SQLite: pages, forms and its own routes."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportInvalidTypeForm=false
# ruff: noqa: E402

from __future__ import annotations

import re

import pytest

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.downstream.support import package

package("starlette_admin")
package("sqlalchemy")

from sqlalchemy import String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool
from starlette_admin.contrib.sqla import Admin, ModelView


class Base(DeclarativeBase):
    pass


class Post(Base):
    __tablename__ = "post"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(50))
    published: Mapped[bool] = mapped_column(default=False)


@pytest.fixture
def engine():
    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Post(title="<first>", published=True))
        session.commit()
    yield engine
    engine.dispose()


@pytest.fixture
def client(engine):
    async def home(request):
        return PlainTextResponse("home")

    app = Starlette(routes=[Route("/", home)])
    admin = Admin(engine, title="Blog", secret_key="0123456789abcdef0123456789abcdef")
    admin.add_view(ModelView(Post))
    admin.mount_to(app)
    with TestClient(app) as client:
        yield client


def hidden_fields(page: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            found[attributes["name"]] = attributes.get("value", "")
    return found


def test_pages(client) -> None:
    assert client.get("/").text == "home"
    assert client.get("/admin").status_code == 200
    index = client.get("/admin/")
    assert "Blog" in index.text
    styles = re.findall(r'href="(http://testserver/admin/static/[^"]+\.css[^"]*)"', index.text)
    assert styles
    assert client.get(styles[0]).headers["content-type"].startswith("text/css")
    assert client.get("/admin/nowhere").status_code == 404
    assert client.get("/admin/post/detail?pk=99").status_code == 404


def test_the_list_and_a_detail(client) -> None:
    assert client.get("/admin/post/list").status_code == 200
    detail = client.get("/admin/post/detail?pk=1")
    assert "&lt;first&gt;" in detail.text
    assert "<first>" not in detail.text


def test_a_form_creates_and_edits(client, engine) -> None:
    page = client.get("/admin/post/create")
    fields = hidden_fields(page.text)
    created = client.post("/admin/post/create", data={**fields, "title": "second"}, follow_redirects=False)
    assert created.status_code in {302, 303}, created.text[:500]
    with Session(engine) as session:
        assert [post.title for post in session.query(Post)] == ["<first>", "second"]
    page = client.get("/admin/post/edit?pk=2")
    edited = client.post(
        "/admin/post/edit?pk=2", data={**hidden_fields(page.text), "title": "changed"}, follow_redirects=False
    )
    assert edited.status_code in {302, 303}
    with Session(engine) as session:
        changed = session.get(Post, 2)
        assert changed is not None
        assert changed.title == "changed"


def test_a_form_without_its_token_is_refused(client, engine) -> None:
    refused = client.post("/admin/post/create", data={"title": "forged"})
    assert refused.status_code in {400, 403}
    with Session(engine) as session:
        assert session.query(Post).count() == 1
